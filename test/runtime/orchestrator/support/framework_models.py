"""Writes small models of a framework into a folder: framework_models.py torch|tf|onnx FOLDER."""

import os
import sys
import warnings

warnings.simplefilter("ignore")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def torch_models(folder):
    import torch

    class Net(torch.nn.Module):
        """Doubles, and adds one: two inputs, two outputs."""

        def forward(self, x, y):
            return 2 * x + y, y + 1

    class Sum(torch.nn.Module):
        def forward(self, x):
            return x.sum(1, keepdim=True) * 0.5

    class Types(torch.nn.Module):
        """A type that no tensor of a store holds, by the value of the input."""

        def forward(self, x):
            if bool(x[0] == 1):
                return x.half()
            if bool(x[0] == 2):
                return x.to(torch.bfloat16)
            if bool(x[0] == 3):
                return torch.complex(x, x)
            return x

    class Many(torch.nn.Module):
        def forward(self, x):
            return [x, x + 1, x + 2]

    class Slow(torch.nn.Module):
        """Runs for as many seconds as the first element says, roughly, in steps that can be interrupted by nobody."""

        def forward(self, x):
            y = torch.ones(200, 200)
            for _ in range(int(x[0]) * 3000):
                y = torch.mm(y, y) * 0.005
            return x + 0 * y[0, 0]

    class Huge(torch.nn.Module):
        """Takes as many GiB of memory as the first element says."""

        def forward(self, x):
            return torch.ones(int(x[0]), 1024, 1024, 256)[0, 0, 0, :1]

    def save(module, name):
        torch.jit.save(torch.jit.script(module.eval()), os.path.join(folder, name))

    save(Net(), "net.pt")
    save(Sum(), "sum.pt")
    save(Types(), "types.pt")
    save(Many(), "many.pt")
    save(Slow(), "slow.pt")
    save(Huge(), "huge.pt")
    batch = torch.export.Dim("batch")
    exported = torch.export.export(Net(), (torch.zeros(2, 2), torch.zeros(2, 2)), dynamic_shapes=({0: batch}, {0: batch}))
    torch.export.save(exported, os.path.join(folder, "net.pt2"))
    torch.save(torch.nn.Linear(2, 2), os.path.join(folder, "pickled.pt"))
    torch.save(torch.nn.Linear(2, 2), os.path.join(folder, "old.pt"), _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    globals()[sys.argv[1] + "_models"](sys.argv[2])
