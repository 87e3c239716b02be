"""ONNX Runtime, on whatever execution providers the site's has."""

import re
from typing import Any, Dict, List, Optional, Sequence, Tuple

import onnxruntime

from .arrays import from_array, input_type, to_array
from .errors import WorkerError
from .frames import Tensor
from .program import Call, Framework, InputType, Names, Program, Settings

_GPU_PROVIDERS: Tuple[Tuple[str, str], ...] = (
    ("CUDAExecutionProvider", "device_id"),
    ("MIGraphXExecutionProvider", "device_id"),
    ("ROCMExecutionProvider", "device_id"),
    ("OpenVINOExecutionProvider", "device_type"),
    ("TensorrtExecutionProvider", "device_id"),
)
"""Providers for GPUs in the order in which they are tried, and the option that names the GPU."""


class OnnxFramework(Framework):
    """ONNX Runtime. A model for a GPU has to run there: the CPU does not stand in for it."""

    name = "onnxruntime"
    version = onnxruntime.__version__

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        onnxruntime.set_default_logger_severity(4)
        here = onnxruntime.get_available_providers()
        self._gpu_providers = [one for one in _GPU_PROVIDERS if one[0] in here] if settings.is_gpu else []
        self.device = "+".join(name for name, _ in self._gpu_providers) or "cpu"
        if settings.is_gpu and not self._gpu_providers:
            raise WorkerError("no-gpu", "ONNX couldn't find CUDA, ROCm, MIGraphX or OpenVINO: onnxruntime has %s" % here)

    def load(self, data: memoryview, info: Dict[str, Any]) -> Program:
        model = bytes(data)
        failures: List[str] = []
        for providers in self._choices():
            try:
                session = onnxruntime.InferenceSession(model, self._options(), providers=providers)
            except Exception as error:
                if len(providers) == 1:
                    raise WorkerError("model", _plain(str(error))) from error
                failures.append(_plain(str(error)))
                continue
            if len(providers) == 1 or session.get_providers()[0] == providers[0][0]:
                return OnnxModel(session)
            failures.append("%s fell back to the CPU" % providers[0][0])
        raise WorkerError("no-gpu", "ONNX couldn't use %s: %s" % (self._settings.device, "; ".join(failures)))

    def _choices(self) -> List[List[Any]]:
        cpu = "CPUExecutionProvider"
        if not self._gpu_providers:
            return [[cpu]]
        number = self._settings.gpu
        return [
            [(name, {option: number if option == "device_id" else "GPU.%d" % number}), cpu]
            for name, option in self._gpu_providers
        ]

    def _options(self) -> Any:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        if self._settings.intra > 0:
            options.intra_op_num_threads = self._settings.intra
        if self._settings.inter > 0:
            options.inter_op_num_threads = self._settings.inter
        if self._settings.inter > 1:
            options.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
        return options


FRAMEWORK = OnnxFramework


class OnnxModel(Program):
    """An ONNX model. Outputs that are sequences or maps are left out."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._inputs = [one.name for one in session.get_inputs()]
        outputs = [one.name for one in session.get_outputs()]
        self._fetches = [one.name for one in session.get_outputs() if one.type.startswith("tensor(")]
        self.names = Names(self._inputs, outputs, input_types=[_type_of(one) for one in session.get_inputs()])

    def run(self, inputs: Sequence[Tensor], call: Optional[Call]) -> List[Optional[Tensor]]:
        feeds = {name: to_array(one) for name, one in zip(self._inputs, inputs)}
        try:
            results = self._session.run(self._fetches, feeds)
        except Exception as error:
            raise WorkerError("model", _plain(str(error))) from error
        tensors = {name: from_array(one, name) for name, one in zip(self._fetches, results)}
        return [tensors.get(name) for name in self.names.outputs]


_TYPES: Dict[str, str] = {"float": "f4", "double": "f8", "bool": "?"}
"""Names of numpy for element types that ONNX calls otherwise."""


def _type_of(value: Any) -> Optional[InputType]:
    name = value.type[len("tensor(") : -1] if value.type.startswith("tensor(") else ""
    # A scalar, or any shape: the runtime does not tell them apart.
    return input_type(_TYPES.get(name, name), value.shape) if name != "" and value.shape else None


def _plain(message: str) -> str:
    """The runtime's text without the code that Python's binding puts before it."""
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", message)
