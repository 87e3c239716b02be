"""Writes small models of a framework into a folder: framework_models.py torch|tf FOLDER [exported]."""

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
    save(torch.nn.Linear(2, 1), "linear.pt")
    save(Types(), "types.pt")
    save(Many(), "many.pt")
    save(Slow(), "slow.pt")
    save(Huge(), "huge.pt")
    if len(sys.argv) > 3:
        batch = torch.export.Dim("batch")
        exported = torch.export.export(Net(), (torch.zeros(2, 2), torch.zeros(2, 2)), dynamic_shapes=({0: batch}, {0: batch}))
        torch.export.save(exported, os.path.join(folder, "net.pt2"))
        evil_program(folder)
    torch.save(torch.nn.Linear(2, 2), os.path.join(folder, "pickled.pt"))
    torch.save(torch.nn.Linear(2, 2), os.path.join(folder, "old.pt"), _use_new_zipfile_serialization=False)


def evil_program(folder):
    """The exported program with pickles that would write a file `ran` beside it."""
    import io
    import zipfile

    import torch

    class Evil:
        def __reduce__(self):
            return open, (os.path.join(folder, "ran"), "w")

    pickled = io.BytesIO()
    torch.save(Evil(), pickled)
    with zipfile.ZipFile(os.path.join(folder, "net.pt2")) as good, zipfile.ZipFile(os.path.join(folder, "evil.pt2"), "w") as evil:
        for name in good.namelist():
            evil.writestr(name, pickled.getvalue() if name.endswith(".pt") else good.read(name))


def tf_models(folder):
    """A graph of two inputs and two outputs: frozen, as a SavedModel, and for TensorFlow Lite."""
    import zipfile

    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    path = lambda name: os.path.join(folder, name)

    def zipped(source, name):
        with zipfile.ZipFile(path(name), "w", zipfile.ZIP_DEFLATED) as archive:
            for here, _, files in os.walk(path(source)):
                for one in files:
                    full = os.path.join(here, one)
                    archive.write(full, os.path.relpath(full, folder))

    class Net(tf.Module):
        def __init__(self):
            super().__init__()
            self.factor = tf.Variable(2.0)

        @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float32, name=name) for name in ("x", "y")])
        def __call__(self, x, y):
            return {"a": self.factor * x + y, "b": y + 1}

    net = Net()
    frozen = convert_variables_to_constants_v2(net.__call__.get_concrete_function())
    with open(path("net.pb"), "wb") as file:
        file.write(frozen.graph.as_graph_def().SerializeToString())
    with open(path("names.txt"), "w") as file:
        file.write(" ".join([one.name for one in frozen.inputs] + [one.name for one in frozen.outputs]))

    tf.saved_model.save(net, path("saved"), signatures=net.__call__)
    zipped("saved", "net.zip")
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        x = tf.compat.v1.placeholder(tf.float32, (None,), name="x")
        with tf.control_dependencies([tf.io.write_file(path("written"), "loading has run this")]):
            first = tf.group(name="first")
        signature = tf.compat.v1.saved_model.predict_signature_def({"x": x}, {"y": x + 1})
        builder = tf.compat.v1.saved_model.Builder(path("writes"))
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature}, main_op=first)
        builder.save()
    zipped("writes", "writes.zip")
    for name, member in (("escapes.zip", "../../outside"), ("absolute.zip", "/tmp/outside")):
        with zipfile.ZipFile(path(name), "w") as archive:
            archive.writestr(member, "x")
    with zipfile.ZipFile(path("bomb.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("saved_model.pb", bytes(128 * 1024 * 1024))

    def graph(name, build):
        one = tf.Graph()
        with one.as_default():
            build()
        with open(path(name), "wb") as file:
            file.write(one.as_graph_def().SerializeToString())

    def with_type(dtype):
        x = tf.compat.v1.placeholder(tf.float32, (None,), name="x")
        tf.cast(x, dtype, name="y")

    graph("half.pb", lambda: with_type(tf.float16))
    graph("bfloat16.pb", lambda: with_type(tf.bfloat16))
    graph("complex.pb", lambda: with_type(tf.complex64))
    graph("reads.pb", lambda: tf.io.read_file(tf.compat.v1.placeholder(tf.string, (), name="x"), name="y"))
    graph("upper.pb", lambda: tf.strings.upper(tf.compat.v1.placeholder(tf.string, (None,), name="x"), name="y"))

    converter = tf.lite.TFLiteConverter.from_concrete_functions([net.__call__.get_concrete_function()], net)
    with open(path("net.tflite"), "wb") as file:
        file.write(converter.convert())


if __name__ == "__main__":
    globals()[sys.argv[1] + "_models"](sys.argv[2])
