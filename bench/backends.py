"""Python's side of bench/backends.mjs.

make FOLDER                         writes the models
rates ADDRESS FOLDER BLOCKS         runs of a model in the store and in this process in turn, and single calls of a tiny one
batches FOLDER                      how much faster 16 rows at once are than one by one, in this process
alone BACKEND FOLDER                imports the framework, loads and runs its model; prints the memory that this process then has
Each prints JSON on its last line. PyTorch has one thread, here and in the store.
"""

import json
import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")  # PyTorch 2.15 deprecates TorchScript
ROWS = 16


def networks():
    """Models by name, with an input: one of some 10 ms, one of microseconds, one that reads many weights for little work."""
    import torch
    from torch import nn

    torch.manual_seed(1)
    torch.set_num_threads(1)
    digits = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(9216, 10)
    )
    wide = nn.Sequential(nn.Linear(64, 2048), nn.ReLU(), nn.Linear(2048, 2048), nn.ReLU(), nn.Linear(2048, 8))
    return {
        "digits": (digits.eval(), torch.rand(20, 1, 28, 28)),
        "tiny": (nn.Linear(8, 8).eval(), torch.rand(1, 8)),
        "wide": (wide.eval(), torch.rand(1, 64)),
    }


def make(folder):
    if (folder / "keras.tflite").exists():
        return {}
    import torch

    for name, (model, x) in networks().items():
        torch.jit.save(torch.jit.trace(model, x), str(folder / f"{name}.pt"))
    import keras
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    model = keras.Sequential([keras.layers.InputLayer(shape=(28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])
    function = tf.function(lambda x: model(x)).get_concrete_function(tf.TensorSpec([None, 28, 28], tf.float32))
    graph = convert_variables_to_constants_v2(function).graph.as_graph_def()
    (folder / "keras.pb").write_bytes(graph.SerializeToString())
    (folder / "keras.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    return {}


def seconds_of(call, count):
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def each_of(call, count):
    return [seconds_of(call, 1) for _ in range(count)]


def rates(address, folder, blocks):
    import torch
    from smartredis import Client

    os.environ.update(SSDB=address, SR_DB_TYPE="Standalone")
    client = Client(None)
    calls = {}
    for name in ["digits", "tiny"]:
        x = networks()[name][1]
        module = torch.jit.load(str(folder / f"{name}.pt")).eval()
        client.set_model_from_file(name, str(folder / f"{name}.pt"), "TORCH", "CPU")
        client.put_tensor(f"{name}.x", x.numpy())

        def stored(name=name):
            client.run_model(name, inputs=[f"{name}.x"], outputs=["y"])

        def whole(name=name, array=x.numpy()):
            client.put_tensor(f"{name}.x", array)
            client.run_model(name, inputs=[f"{name}.x"], outputs=["y"])
            client.get_tensor("y")

        def alone(module=module, x=x):
            with torch.inference_mode():
                module(x)

        for call in (stored, alone):
            each_of(call, 30)  # PyTorch optimises in the first runs
        calls[name] = (stored, whole, alone)
    stored, whole, alone = calls["digits"]
    digits = [[seconds_of(call, 15) for call in (stored, whole, alone)] for _ in range(blocks)]
    stored, _, alone = calls["tiny"]
    tiny = [[each_of(call, 200) for call in (stored, alone)] for _ in range(blocks)]
    return {"digits": digits, "tiny": [sum(column, []) for column in zip(*tiny)]}


def batches(folder):
    import torch

    module = torch.jit.load(str(folder / "wide.pt")).eval()
    torch.set_num_threads(1)

    def run(rows):
        with torch.inference_mode():
            module(rows)

    one, all_rows = torch.rand(1, 64), torch.rand(ROWS, 64)
    for rows in (one, all_rows):
        seconds_of(lambda: run(rows), 30)
    pairs = [(seconds_of(lambda: run(one), 40), seconds_of(lambda: run(all_rows), 40)) for _ in range(5)]
    return {"gains": [ROWS * single / batch for single, batch in pairs]}


def alone(backend, folder):
    start = time.perf_counter()
    if backend == "TORCH":
        import torch

        torch.set_num_threads(1)
        imported = time.perf_counter()
        torch.jit.load(str(folder / "digits.pt")).eval()(torch.rand(1, 1, 28, 28))
    elif backend == "TF":
        import tensorflow as tf

        imported = time.perf_counter()
        graph = tf.compat.v1.GraphDef.FromString((folder / "keras.pb").read_bytes())

        def load():
            tf.graph_util.import_graph_def(graph, name="")

        wrapped = tf.compat.v1.wrap_function(load, [])
        wrapped.prune("x:0", "Identity:0")(tf.zeros([1, 28, 28]))
    else:
        from ai_edge_litert.interpreter import Interpreter

        imported = time.perf_counter()
        interpreter = Interpreter(model_path=str(folder / "keras.tflite"), num_threads=1)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.zeros([1, 28, 28], np.float32))
        interpreter.invoke()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return {"import": imported - start, "residentBytes": resident}


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    results = {
        "make": lambda: make(Path(words[0])),
        "rates": lambda: rates(words[0], Path(words[1]), int(words[2])),
        "batches": lambda: batches(Path(words[0])),
        "alone": lambda: alone(words[0], Path(words[1])),
    }[what]()
    print(json.dumps(results))
