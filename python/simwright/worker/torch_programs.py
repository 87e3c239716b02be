"""PyTorch: TorchScript archives, exported programs and scripts."""

import functools
import io
import pickle
import re
import textwrap
import warnings
import zipfile
from typing import Any, Dict, List, Optional, Sequence

import torch

from .errors import WorkerError
from .frames import Tensor
from .program import Call, Framework, InputType, Names, Program, Settings

_TYPES: Dict[str, Any] = {
    "FLOAT": torch.float32,
    "DOUBLE": torch.float64,
    "INT8": torch.int8,
    "INT16": torch.int16,
    "INT32": torch.int32,
    "INT64": torch.int64,
    "UINT8": torch.uint8,
    "BOOL": torch.bool,
}
_NAMES = {dtype: name for name, dtype in _TYPES.items()}
if hasattr(torch, "uint16"):
    _NAMES[torch.uint16] = "UINT16"

_without_gradients = getattr(torch, "inference_mode", torch.no_grad)


class TorchFramework(Framework):
    """PyTorch on the CPU, or on a GPU of any maker that it supports."""

    name = "torch"
    version = torch.__version__

    def __init__(self, settings: Settings) -> None:
        warnings.simplefilter("ignore")
        self._target = torch.device(_device(settings))
        self.device = str(self._target)
        if settings.intra > 0:
            torch.set_num_threads(settings.intra)
        if settings.inter > 0:
            torch.set_num_interop_threads(settings.inter)
        # PyTorch does once what the first run in a process would wait for.
        torch.zeros(1, device=self._target).add(1).cpu()

    def load(self, data: memoryview, info: Dict[str, Any]) -> Program:
        if info.get("kind") == "script":
            return Script(bytes(data), self._target)
        kind = format_of(data)
        if kind == "script":
            return ScriptModule(torch.jit.load(io.BytesIO(data), map_location=self._target), self._target)
        if kind == "exported":
            return ExportedProgram(_load_exported(data), self._target)
        raise WorkerError("model", _UNUSABLE[kind])


FRAMEWORK = TorchFramework

_HOW_TO_EXPORT = (
    "save torch.jit.script(model) or torch.jit.trace(model, example) with torch.jit.save, "
    "or torch.export.export(model, (example,)) with torch.export.save"
)
_UNUSABLE = {
    "pickled": "the model is a pickle of torch.save, which is not loaded, since it could run any code: " + _HOW_TO_EXPORT,
    "truncated": "the model is a zip archive that is cut short or damaged",
    "unknown": "the model is no TorchScript archive and no exported program of PyTorch: " + _HOW_TO_EXPORT,
}


def format_of(data: memoryview) -> str:
    """Format of a file by its content: script, exported, pickled, truncated or unknown."""
    if bytes(data[:2]) != b"PK":
        # Old files of torch.save begin with a pickle.
        return "pickled" if len(data) > 1 and data[0] == 0x80 and data[1] < 6 else "unknown"
    try:
        names = [name.split("/", 1) for name in zipfile.ZipFile(io.BytesIO(data)).namelist()]
    except zipfile.BadZipFile:
        return "truncated"
    inside = {name[-1] for name in names}
    if any(name.startswith("code/") for name in inside) and "constants.pkl" in inside:
        return "script"
    if "serialized_exported_program.json" in inside or any(
        name.startswith("models/") and name.endswith(".json") for name in inside
    ):
        return "exported"
    return "pickled" if "data.pkl" in inside else "unknown"


def _load_exported(data: memoryview) -> Any:
    if not hasattr(torch, "export") or not hasattr(torch.export, "load"):
        raise WorkerError("backend", "exported programs need torch ≥ 2.1; this is %s" % torch.__version__)
    # PyTorch falls back to plain pickles, which can run any code.
    unsafe = torch.load
    torch.load = functools.partial(_load_weights, unsafe)
    try:
        return torch.export.load(io.BytesIO(data))
    except pickle.UnpicklingError as error:
        raise WorkerError("model", "the exported program holds more than tensors: %s" % _refused(error)) from error
    finally:
        torch.load = unsafe


def _refused(error: Exception) -> str:
    """Name of what an unpickler has refused, without PyTorch's advice to load it all the same."""
    found = re.search(r"Unsupported global: GLOBAL (\S+)", str(error))
    return found.group(1) if found is not None else str(error).splitlines()[0]


def _load_weights(load: Any, *args: Any, **kwargs: Any) -> Any:
    return load(*args, **{**kwargs, "weights_only": True})


def _device(settings: Settings) -> str:
    """Name of the device in PyTorch. AMD's GPUs are called cuda there, too."""
    if not settings.is_gpu:
        return "cpu"
    for kind, title in (("cuda", "CUDA"), ("xpu", "XPU")):
        devices = getattr(torch, kind, None)
        if devices is None or not devices.is_available():
            continue
        count = devices.device_count()
        if settings.gpu < count:
            return "%s:%d" % (kind, settings.gpu)
        raise WorkerError("device", "there is no %s here: Torch finds %d GPUs by %s" % (settings.device, count, title))
    raise WorkerError("no-gpu", "Torch couldn't find CUDA, ROCm or XPU")


class ScriptModule(Program):
    """A TorchScript archive. Its inputs are the parameters of `forward`."""

    def __init__(self, module: Any, device: Any) -> None:
        self._module = module.eval()
        self._device = device
        schema = module.forward.schema
        outputs = _count(schema.returns[0].type) if len(schema.returns) == 1 else None
        self.names = Names(
            [argument.name for argument in schema.arguments[1:]],
            [""] * (outputs or 0),
            any_outputs=outputs is None,
        )

    def run(self, inputs: Sequence[Tensor], call: Optional[Call]) -> List[Optional[Tensor]]:
        with _without_gradients():
            return _outputs(self._module(*[_tensor(one, self._device) for one in inputs]))


class ExportedProgram(Program):
    """A program of torch.export, with as many inputs as tensors go into it."""

    def __init__(self, exported: Any, device: Any) -> None:
        if device.type != "cpu":
            from torch.export.passes import move_to_device_pass

            exported = move_to_device_pass(exported, device)
        signature = exported.graph_signature
        self._module = exported.module()
        self._device = device
        self._spec = exported.call_spec.in_spec
        self.names = Names(
            [str(name) for name in signature.user_inputs],
            [str(name) for name in signature.user_outputs],
            input_types=_input_types(exported),
        )

    def run(self, inputs: Sequence[Tensor], call: Optional[Call]) -> List[Optional[Tensor]]:
        tensors = [_tensor(one, self._device) for one in inputs]
        args, kwargs = torch.utils._pytree.tree_unflatten(tensors, self._spec)
        with _without_gradients():
            return _outputs(self._module(*args, **kwargs))


def _input_types(exported: Any) -> List[Optional[InputType]]:
    """Types of a program's inputs, as it was exported for them. A size that may vary is the least one that it takes."""
    values = {node.name: node.meta.get("val") for node in exported.graph.nodes if node.op == "placeholder"}

    def size(one: Any) -> Optional[int]:
        if isinstance(one, int):
            return one
        least = getattr(exported.range_constraints.get(getattr(one.node, "expr", None)), "lower", 1)
        return int(least) if least > 1 else None

    def type_of(value: Any) -> Optional[InputType]:
        name = _NAMES.get(value.dtype) if isinstance(value, torch.Tensor) else None
        return name and InputType(name, [size(one) for one in value.shape])

    return [type_of(values.get(str(name))) for name in exported.graph_signature.user_inputs]


class Script(Program):
    """Functions in TorchScript source."""

    def __init__(self, source: bytes, device: Any) -> None:
        text = source.decode(errors="replace")
        try:
            self._unit = _compiled(text)
        except RuntimeError:
            dedented = textwrap.dedent(text)
            if dedented == text:
                raise
            self._unit = _compiled(dedented)
        self._device = device
        functions = {function.name: _parameters(function) for function in self._unit.get_functions()}
        self.names = Names([], [], functions)

    def run(self, inputs: Sequence[Tensor], call: Optional[Call]) -> List[Optional[Tensor]]:
        assert call is not None
        function = self._unit.find_function(call.fn)
        if function is None:
            raise WorkerError("model", "Function does not exist: " + call.fn)
        tensors = [_tensor(one, self._device) for one in inputs]
        arguments = [tensors, call.keys, call.args] if call.is_entry_point else _arguments(function, call.fn, tensors)
        with _without_gradients():
            try:
                result = function(*arguments)
            except RuntimeError as error:
                # PyTorch's text for a result that Python cannot hold is longer than that of the run.
                raise WorkerError("model", str(error)) from None
            outputs = _script_outputs(result, call.fn)
        if len(outputs) != call.outputs:
            raise WorkerError("model", "Function returned unexpected number of outputs - " + call.fn)
        return outputs


def _compiled(source: str) -> Any:
    unit = torch.jit.CompilationUnit()
    # PyTorch wants the last line to end, and would look names up in the modules of whoever calls it.
    unit.define(source + "\n", rcb=lambda name: torch if name == "torch" else None)
    return unit


def _parameters(function: Any) -> List[Dict[str, str]]:
    return [
        {"name": argument.name, "type": argument.type.annotation_str} for argument in function.schema.arguments
    ]


def _arguments(function: Any, name: str, tensors: List[Any]) -> List[Any]:
    """Arguments of a function that is no entry point: tensors in order, a list takes all that are left."""
    arguments: List[Any] = []
    left = list(tensors)
    for argument in function.schema.arguments:
        kind = argument.type.annotation_str
        if kind == "Tensor":
            if not left:
                raise WorkerError("model", "Wrong number of inputs provided to function: " + name)
            arguments.append(left.pop(0))
        elif kind == "List[Tensor]":
            arguments.append(left)
            left = []
        else:
            raise WorkerError("model", "Unsupported input type in function definition: " + name)
    return arguments


def _script_outputs(result: Any, name: str) -> List[Optional[Tensor]]:
    items = list(result) if isinstance(result, (tuple, list)) else [result]
    outputs: List[Optional[Tensor]] = []
    for item in items:
        nested = list(item) if isinstance(item, (tuple, list)) else [item]
        for one in nested:
            if not isinstance(one, torch.Tensor):
                raise WorkerError("model", "Function returned non-tensor values" + name)
            outputs.append(_output(one, len(outputs)))
    return outputs


def _count(kind: Any) -> Optional[int]:
    """Number of tensors in a result of this type; None if only a run tells."""
    name = kind.kind()
    if name == "TensorType":
        return 1
    if name != "TupleType":
        return None
    counts = [_count(element) for element in kind.elements()]
    return None if None in counts else sum(count for count in counts if count is not None)


def _tensor(given: Tensor, device: Any) -> Any:
    dtype = _TYPES.get(given.dtype)
    if dtype is None:
        reason = "Unsupported kUInt bits 16" if given.dtype == "UINT16" else "Unsupported data type " + given.dtype
        raise WorkerError("model", "%s: Torch takes no tensors of the type %s" % (reason, given.dtype))
    if given.data.nbytes == 0:
        return torch.empty(given.shape, dtype=dtype, device=device)
    tensor = torch.frombuffer(given.data, dtype=dtype).reshape(given.shape)
    return tensor if device.type == "cpu" else tensor.to(device)


def _outputs(result: Any) -> List[Optional[Tensor]]:
    outputs: List[Optional[Tensor]] = []
    _flatten(result, outputs)
    return outputs


def _flatten(result: Any, outputs: List[Optional[Tensor]]) -> None:
    if isinstance(result, torch.Tensor):
        outputs.append(_output(result, len(outputs)))
    elif isinstance(result, (tuple, list)):
        for item in result:
            _flatten(item, outputs)
    else:
        raise WorkerError("model", "the model returned a %s, which is no tensor" % type(result).__name__)


def _output(tensor: Any, index: int) -> Tensor:
    name = _NAMES.get(tensor.dtype)
    if name is None:
        raise WorkerError(
            "model",
            "output %d has the type %s, which no tensor of the store can hold; cast it in the model or script"
            % (index + 1, tensor.dtype),
        )
    here = tensor.detach().cpu().contiguous()
    shape = tuple(here.shape)
    return Tensor(name, shape, here.reshape(-1).numpy().view("uint8") if here.numel() > 0 else b"")
