"""TensorFlow Lite: ai-edge-litert, tflite_runtime or TensorFlow's interpreter, whichever is there."""

import importlib
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy

from .arrays import from_array, input_type, to_array
from .errors import WorkerError
from .frames import Tensor
from .frameworks import find
from .program import Call, Framework, Names, Program, Settings

_INTERPRETERS = {
    "ai_edge_litert": "ai_edge_litert.interpreter",
    "tflite_runtime": "tflite_runtime.interpreter",
    "tensorflow": "tensorflow.lite.python.interpreter",
}


class TfliteFramework(Framework):
    """TensorFlow Lite, which runs models on CPUs alone."""

    name = "tflite"

    def __init__(self, settings: Settings) -> None:
        if settings.is_gpu:
            raise WorkerError("no-gpu", "TFLITE runs models on CPUs alone")
        found = find("TFLITE")
        if found is None:
            raise WorkerError("backend", "there is no interpreter of TensorFlow Lite")
        self.name, self.version, self.device = found.distribution, found.version, "cpu"
        self._threads = settings.intra or None
        self._interpreter = importlib.import_module(_INTERPRETERS[found.package.module]).Interpreter

    def load(self, data: memoryview, info: Dict[str, Any]) -> Program:
        if len(data) < 8 or bytes(data[4:8]) != b"TFL3":
            raise WorkerError("model", "the model is no flatbuffer of TensorFlow Lite")
        interpreter = self._interpreter(model_content=bytes(data), num_threads=self._threads)
        interpreter.allocate_tensors()
        return TfliteModel(interpreter)


FRAMEWORK = TfliteFramework


class TfliteModel(Program):
    """A model of TensorFlow Lite. Inputs of another size make it anew where it allows that."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        inputs = interpreter.get_input_details()
        self._outputs = interpreter.get_output_details()
        self._inputs: List[Tuple[int, str, Any]] = [(one["index"], one["name"], one["dtype"]) for one in inputs]
        self._shapes = [tuple(int(size) for size in one["shape"]) for one in inputs]
        self._signature = [one.get("shape_signature", one["shape"]) for one in inputs]
        self.names = Names(
            [one["name"] for one in inputs],
            [one["name"] for one in self._outputs],
            input_types=[input_type(one["dtype"], one.get("shape_signature", one["shape"])) for one in inputs],
        )

    def run(self, inputs: Sequence[Tensor], call: Optional[Call]) -> List[Optional[Tensor]]:
        self._resize([tuple(one.shape) for one in inputs])
        for (index, name, dtype), one in zip(self._inputs, inputs):
            array = to_array(one)
            if array.dtype != numpy.dtype(dtype):
                wanted = numpy.dtype(dtype).name
                raise WorkerError("model", "input %s is of type %s, and the model wants %s" % (name, one.dtype, wanted))
            self._interpreter.set_tensor(index, array)
        self._interpreter.invoke()
        return [from_array(self._interpreter.get_tensor(one["index"]), one["name"]) for one in self._outputs]

    def _resize(self, shapes: List[Tuple[int, ...]]) -> None:
        if shapes == self._shapes:
            return
        before = self._shapes
        # It would take other ranks, and make something of them.
        if [len(shape) for shape in shapes] != [len(shape) for shape in before]:
            given, wanted = _shown(shapes), _shown(self._signature)
            raise WorkerError("model", "the inputs have the shapes %s, and the model wants %s" % (given, wanted))
        try:
            self._allocate(shapes)
        except (RuntimeError, ValueError) as error:
            self._allocate(before)
            raise WorkerError("model", "the model does not take inputs of the shapes %s: %s" % (shapes, error)) from error

    def _allocate(self, shapes: List[Tuple[int, ...]]) -> None:
        for (index, _, _), shape in zip(self._inputs, shapes):
            self._interpreter.resize_tensor_input(index, list(shape))
        self._interpreter.allocate_tensors()
        self._shapes = shapes


def _shown(shapes: Iterable[Iterable[int]]) -> str:
    """Shapes as text; a size that may vary is a question mark."""
    return ", ".join("[%s]" % ", ".join(str(size) if size >= 0 else "?" for size in shape) for shape in shapes)
