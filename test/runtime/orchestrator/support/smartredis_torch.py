"""The PyTorch examples of SmartSim's documentation and what users make of them: models that are traced, scripted or
exported here, stored and run by smartredis. Arguments: a folder, in which the models are left for others. Prints, by
name, what PyTorch answers itself and what the store has answered.
"""

import io
import pathlib
import sys
import warnings
from typing import List, Tuple

import numpy as np
import torch
from answers import Answers, refusal
from smartredis import Client
from torch import nn
from torch.nn import functional

warnings.filterwarnings("ignore")  # PyTorch 2.15 deprecates TorchScript
torch.manual_seed(1)
torch.set_num_threads(1)
folder = pathlib.Path(sys.argv[1])
client = Client()
answers = Answers(client)


class Network(nn.Module):
    """The convolutional network of PyTorch's MNIST example, which SmartSim and SmartRedis take."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = functional.relu(self.conv2(functional.relu(self.conv1(x))))
        x = torch.flatten(self.dropout1(functional.max_pool2d(x, 2)), 1)
        x = self.fc2(self.dropout2(functional.relu(self.fc1(x))))
        return functional.log_softmax(x, dim=1)


class SumAndDifference(nn.Module):
    """Two inputs, a tuple of two outputs."""

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        return a + b, a - b


class ThreeParts(nn.Module):
    """A list of tensors, whose number only a run tells."""

    def forward(self, x: torch.Tensor) -> List[torch.Tensor]:
        return [x[:, 0], x[:, 1:], x.sum(0)]


class Widen(nn.Module):
    """An output of another type than the input's."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.double() / 3


def traced(model, example):
    blob = io.BytesIO()
    torch.jit.save(torch.jit.trace(model, example), blob)
    return blob.getvalue()


def scripted(model):
    blob = io.BytesIO()
    torch.jit.save(torch.jit.script(model), blob)
    return blob.getvalue()


def exported(model, inputs, **more):
    blob = io.BytesIO()
    torch.export.save(torch.export.export(model, inputs, **more), blob)
    return blob.getvalue()


def ask(name, blob, inputs, outputs, **options):
    """`inputs`: tensors; `outputs`: tensor by name."""
    (folder / name).write_bytes(blob)
    client.set_model(name, blob, "TORCH", device="CPU", **options)
    answers.ask_model(name, [x.numpy() for x in inputs], {key: y.detach().numpy() for key, y in outputs.items()})


network = Network().eval()
pixels = torch.rand(20, 1, 28, 28)
digits = {"digits": network(pixels)}
ask("cnn", traced(network, torch.rand(1, 1, 28, 28)), [pixels], digits)
ask("cnn-batched", traced(network, torch.rand(1, 1, 28, 28)), [pixels], digits, batch_size=40)
batch = {"x": {0: torch.export.Dim("batch")}}
ask("cnn-exported", exported(network, (torch.rand(2, 1, 28, 28),), dynamic_shapes=batch), [pixels], digits)

client.set_model_from_file("cnn-file", str(folder / "cnn"), "TORCH", "CPU")
answers.ask_model("cnn-file", [pixels.numpy()], {"digits": digits["digits"].detach().numpy()})

small = nn.Conv2d(1, 1, 3).eval()
ask("convolution", traced(small, torch.rand(1, 1, 3, 3)), [torch.ones(1, 1, 3, 3)], {"y": small(torch.ones(1, 1, 3, 3))})

a, b = torch.arange(6, dtype=torch.int32).reshape(2, 3), torch.full((2, 3), 10, dtype=torch.int32)
pair = {"sum": a + b, "difference": a - b}
ask("pair", scripted(SumAndDifference()), [a, b], pair)
ask("pair-exported", exported(SumAndDifference(), (a, b)), [a, b], pair)
x = torch.rand(4, 3)
ask("parts", scripted(ThreeParts()), [x], {"first": x[:, 0], "rest": x[:, 1:], "sum": x.sum(0)})
for dtype in [torch.float32, torch.int8, torch.int16, torch.int64, torch.uint8]:
    values = torch.arange(1, 7, dtype=dtype)
    ask(f"widen-{str(dtype)[6:]}", scripted(Widen()), [values], {"y": Widen()(values)})

pickled = io.BytesIO()
torch.save(network, pickled)
client.put_tensor("uint16", np.arange(6, dtype=np.uint16))
client.put_tensor("image", np.zeros((1, 1, 28), np.float32))
refusals = {
    "pickled": refusal(lambda: client.set_model("pickled", pickled.getvalue(), "TORCH", "CPU")),
    "truncated": refusal(lambda: client.set_model("cut", traced(small, torch.rand(1, 1, 3, 3))[:2000], "TORCH", "CPU")),
    "uint16": refusal(lambda: client.run_model("widen-int16", inputs=["uint16"], outputs=["y"])),
    "shape": refusal(lambda: client.run_model("cnn", inputs=["image"], outputs=["y"])),
    "inputs": refusal(lambda: client.run_model("pair", inputs=["uint16"], outputs=["y", "z"])),
}
answers.print(refusals=refusals)
