"""Makes the models of this folder with PyTorch, TensorFlow and its converter to TensorFlow Lite.

    python make.py FOLDER

Archives are written once more without the parts that name files of the machine they were made on.
"""

from __future__ import annotations

import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Dict, List, Optional, Tuple

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["OMP_NUM_THREADS"] = "1"

import torch  # noqa: E402


class Net(torch.nn.Module):
    """A layer from 4 to 2 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 2)

    def forward(self, x):
        return torch.relu(self.layer(x))


class Pair(torch.nn.Module):
    """Two or three tensors to two."""

    def forward(
        self, a, b: torch.Tensor, scale: Optional[torch.Tensor] = None
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        if scale is not None:
            return a * scale, b
        return a - b, a


class Mapping(torch.nn.Module):
    """A list of tensors to a mapping."""

    def forward(self, xs: List[torch.Tensor], times: int) -> Dict[str, torch.Tensor]:
        return {"first": xs[0] * times}


class Any(torch.nn.Module):
    """One tensor to a list, of as many as it has rows."""

    def forward(self, x) -> List[torch.Tensor]:
        return [row for row in x]


class Both(torch.nn.Module):
    """Sum and product."""

    def forward(self, x, y):
        return x + y, x * y


class Widen(torch.nn.Module):
    """Small whole numbers to floats."""

    def forward(self, x):
        return x.to(torch.float32) * 2


def rewrite(path: Path) -> None:
    """Writes an archive once more, without places in source files."""
    with zipfile.ZipFile(path) as archive:
        files = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files:
            if name.endswith(".debug_pkl"):
                continue
            if name.endswith(".json") and b"graph_module" in data:
                data = without_traces(data)
            packed = zipfile.ZIP_DEFLATED if name.endswith((".py", ".json")) else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(name), data, packed)


def without_traces(data: bytes) -> bytes:
    """A program's graph without the lines of source that its nodes come from."""
    program = json.loads(data)
    for node in program["graph_module"]["graph"]["nodes"]:
        node["metadata"].pop("stack_trace", None)
    return json.dumps(program).encode()


def make_torch(folder: Path) -> None:
    net = Net().eval()
    torch.jit.trace(net, torch.zeros(3, 4)).save(folder / "traced.pt")
    torch.jit.trace(Both(), (torch.zeros(2), torch.zeros(2))).save(folder / "traced-both.pt")
    torch.jit.script(Pair()).save(folder / "scripted-pair.pt")
    torch.jit.script(Mapping()).save(folder / "scripted-mapping.pt")
    torch.jit.script(Any()).save(folder / "scripted-list.pt")
    torch.jit.freeze(torch.jit.script(net)).save(folder / "frozen.pt")
    torch.save(net, folder / "module.pt")
    torch.save(net.state_dict(), folder / "state-dict.pt")
    torch.save(net.state_dict(), folder / "legacy.pt", _use_new_zipfile_serialization=False)
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(net, (torch.zeros(2, 4),), dynamic_shapes=({0: batch},))
    torch.export.save(program, folder / "exported.pt2")
    both = torch.export.export(Both(), (torch.zeros(2, 3), torch.zeros(2, 3, dtype=torch.int64)))
    torch.export.save(both, folder / "exported-both.pt2")
    half = torch.export.export(Both(), (torch.zeros(1, 3).half(), torch.zeros(1, 3).half()))
    torch.export.save(half, folder / "exported-half.pt2")
    counts = torch.zeros(2, 3, dtype=torch.uint16)
    torch.export.save(torch.export.export(Widen(), (counts,)), folder / "exported-uint16.pt2")
    save_as_before(program, folder / "exported-old.pt2")
    for path in folder.glob("*.pt*"):
        if zipfile.is_zipfile(path):
            rewrite(path)
    x = torch.ones(2, 4)
    for path in ("traced.pt", "frozen.pt"):
        assert torch.allclose(torch.jit.load(folder / path)(x), net(x)), path
    for path in ("exported.pt2", "exported-old.pt2"):
        assert torch.allclose(torch.export.load(folder / path).module()(x), net(x)), path


def save_as_before(program: "torch.export.ExportedProgram", path: Path) -> None:
    """Writes a program in the layout of PyTorch 2.2 to 2.7, which later ones still load."""
    from torch._export.serde.schema import SCHEMA_VERSION
    from torch._export.serde.serialize import serialize

    parts = serialize(program)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("serialized_exported_program.json", parts.exported_program)
        archive.writestr("serialized_state_dict.pt", parts.state_dict)
        archive.writestr("serialized_constants.pt", parts.constants)
        archive.writestr("serialized_example_inputs.pt", parts.example_inputs)
        archive.writestr("version", ".".join(map(str, SCHEMA_VERSION)))


def zip_folder(source: Path, target: Path, prefix: str) -> None:
    """Writes a folder as a zip archive, under a prefix."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                name = prefix + str(path.relative_to(source.parent))
                archive.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED)


def make_tensorflow(folder: Path) -> None:
    import numpy as np
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    class Layer(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = tf.Variable(np.ones((4, 2), np.float32))

        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
        def serve(self, x):
            y = tf.nn.relu(x @ self.weights, name="activated")
            return {"y": y, "best": tf.argmax(y, 1, name="best")}

    layer = Layer()
    graph = convert_variables_to_constants_v2(layer.serve.get_concrete_function()).graph
    tf.io.write_graph(graph, str(folder), "frozen.pb", as_text=False)
    tf.io.write_graph(graph, str(folder), "frozen.pbtxt", as_text=True)
    saved = folder / "saved"
    tf.saved_model.save(layer, str(saved), signatures={"serving_default": layer.serve})
    zip_folder(saved, folder / "saved.zip", "")
    zip_folder(saved, folder / "saved-deep.zip", "models/wall/")
    with zipfile.ZipFile(folder / "saved-deep.zip", "a") as archive:
        # As the Finder of macOS adds it.
        archive.writestr(zipfile.ZipInfo("__MACOSX/._wall"), b"")
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
    (folder / "net.tflite").write_bytes(converter.convert())
    for path in sorted(saved.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    saved.rmdir()


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    make_torch(target)
    make_tensorflow(target)
