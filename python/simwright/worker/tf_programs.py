"""TensorFlow: frozen graphs, and SavedModels as zip archives."""

import os
import shutil
import stat
import tempfile
import zipfile
from io import BytesIO
from typing import Any, Dict, Iterator, List, Optional, Sequence

import tensorflow
from tensorflow.core.protobuf import saved_model_pb2

from .arrays import from_array, input_type, to_array
from .errors import WorkerError
from .frames import Tensor
from .program import Call, Framework, InputType, Names, Program, Settings

_v1 = tensorflow.compat.v1

_MOST_UNPACKED = 16
"""A zip archive may be so many times as large as its bytes, plus 64 MiB."""

_FORBIDDEN = frozenset(
    ("ReadFile", "WriteFile", "MatchingFiles", "WholeFileReader", "WholeFileReaderV2", "PyFunc", "EagerPyFunc")
)
"""Operations that a model has no business with: they read and write files, or call Python."""


class TfFramework(Framework):
    """TensorFlow, with a session of its own for each model."""

    name = "tensorflow"
    version = tensorflow.__version__

    def __init__(self, settings: Settings) -> None:
        tensorflow.get_logger().setLevel("ERROR")
        gpus = tensorflow.config.list_physical_devices("GPU")
        self._config = _v1.ConfigProto(
            intra_op_parallelism_threads=settings.intra, inter_op_parallelism_threads=settings.inter
        )
        if not settings.is_gpu:
            tensorflow.config.set_visible_devices([], "GPU")
            self._config.device_count["GPU"] = 0
            self.device = "cpu"
        elif not gpus:
            raise WorkerError("no-gpu", "TensorFlow couldn't find CUDA or ROCm")
        elif settings.gpu >= len(gpus):
            raise WorkerError("device", "there is no %s here: TensorFlow finds %d GPUs" % (settings.device, len(gpus)))
        else:
            self._config.gpu_options.visible_device_list = str(settings.gpu)
            self._config.gpu_options.allow_growth = True
            self.device = gpus[settings.gpu].name

    def load(self, data: memoryview, info: Dict[str, Any]) -> Program:
        inputs, outputs = info.get("inputs") or [], info.get("outputs") or []
        session = _v1.Session(graph=tensorflow.Graph(), config=self._config)
        try:
            with session.graph.as_default():
                if bytes(data[:4]) == b"PK\x03\x04":
                    signature = _load_saved_model(session, data)
                    return TfModel(session, inputs, outputs, signature)
                _import_frozen(data)
                return TfModel(session, inputs, outputs, None)
        except BaseException:
            session.close()
            raise


FRAMEWORK = TfFramework


class TfModel(Program):
    """A graph with the tensors that are fed and fetched."""

    def __init__(self, session: Any, inputs: List[str], outputs: List[str], signature: Any) -> None:
        self._session = session
        feeds = [_tensor(session.graph, name, signature and signature.inputs, "input") for name in inputs]
        fetches = [_tensor(session.graph, name, signature and signature.outputs, "output") for name in outputs]
        self._types = [one.dtype.base_dtype for one in feeds]
        self._run = session.make_callable(fetches, feeds)
        self.names = Names(inputs, outputs, input_types=[_type_of(one) for one in feeds])

    def __del__(self) -> None:
        self._session.close()

    def run(self, inputs: Sequence[Tensor], call: Optional[Call]) -> List[Optional[Tensor]]:
        arrays = [to_array(one) for one in inputs]
        for name, one, array, wanted in zip(self.names.inputs, inputs, arrays, self._types):
            # The session would convert it, at the price of a copy and without a word.
            if array.dtype != wanted.as_numpy_dtype:
                raise WorkerError(
                    "model", "input %s is of type %s, and the model wants %s" % (name, one.dtype, wanted.name)
                )
        results = self._run(*arrays)
        return [from_array(one, name) for one, name in zip(results, self.names.outputs)]


def _type_of(tensor: Any) -> Optional[InputType]:
    shape = None if tensor.shape.rank is None else tensor.shape.as_list()
    return input_type(tensor.dtype.base_dtype.as_numpy_dtype, shape)


def _import_frozen(data: memoryview) -> None:
    definition = _v1.GraphDef()
    try:
        definition.ParseFromString(bytes(data))
    except Exception as error:
        raise WorkerError("model", "the model is no graph of TensorFlow: %s" % error) from error
    if not definition.node:
        raise WorkerError("model", "the model is an empty graph of TensorFlow")
    _refuse_forbidden(definition)
    tensorflow.import_graph_def(definition, name="")


def _refuse_forbidden(definition: Any) -> None:
    for node in _nodes(definition):
        if node.op in _FORBIDDEN:
            raise WorkerError("model", "the graph has an operation %s (%s), which stores do not run" % (node.op, node.name))


def _nodes(definition: Any) -> Iterator[Any]:
    yield from definition.node
    for function in definition.library.function:
        yield from function.node_def


def _tensor(graph: Any, name: str, signature: Any, noun: str) -> Any:
    """The tensor of that name: of the signature, of the graph, or the first output of a node."""
    full = signature[name].name if signature is not None and name in signature else name
    try:
        return graph.get_tensor_by_name(full if ":" in full else full + ":0")
    except (KeyError, ValueError) as error:
        known = ", ".join(sorted(signature)) if signature is not None else ", ".join(_ends(graph, noun))
        raise WorkerError("model", "the graph has no %s %s; it has %s" % (noun, name, known)) from error


def _ends(graph: Any, noun: str) -> List[str]:
    """Names of placeholders, or of nodes whose output nobody takes; at most ten."""
    operations = graph.get_operations()
    if noun == "input":
        names = [one.name for one in operations if one.type == "Placeholder"]
    else:
        names = [one.name for one in operations if one.outputs and not any(out.consumers() for out in one.outputs)]
    return names[:10] or ["none"]


def _load_saved_model(session: Any, data: memoryview) -> Any:
    """Loads the archive's SavedModel into the session; gives the signature that serves."""
    folder = tempfile.mkdtemp(prefix="simwright-saved-model-")
    try:
        _unpack(data, folder)
        top = _saved_model_in(folder)
        # Loading runs what the model says is to be run first.
        for meta_graph in _read_saved_model(top).meta_graphs:
            _refuse_forbidden(meta_graph.graph_def)
        meta = _v1.saved_model.loader.load(session, ["serve"], top)
        signatures = meta.signature_def
        return signatures["serving_default"] if "serving_default" in signatures else None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read_saved_model(folder: str) -> Any:
    model = saved_model_pb2.SavedModel()
    try:
        with open(os.path.join(folder, "saved_model.pb"), "rb") as file:
            model.ParseFromString(file.read())
    except Exception as error:
        raise WorkerError("model", "the archive's saved_model.pb cannot be read: %s" % error) from error
    return model


def _unpack(data: memoryview, folder: str) -> None:
    """Unpacks the archive into the folder and nowhere else."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
            most = _MOST_UNPACKED * len(data) + 64 * 1024 * 1024
            if sum(one.file_size for one in entries) > most:
                raise WorkerError("model", "the SavedModel's archive unpacks to more than %d bytes" % most)
            for entry in entries:
                parts = entry.filename.split("/")
                if entry.filename.startswith("/") or ".." in parts or "\\" in entry.filename:
                    raise WorkerError("model", "the SavedModel's archive has a path out of its folder: " + entry.filename)
                if stat.S_ISLNK(entry.external_attr >> 16):
                    raise WorkerError("model", "the SavedModel's archive has a link: " + entry.filename)
            archive.extractall(folder)
    except zipfile.BadZipFile as error:
        raise WorkerError("model", "the SavedModel's archive is cut short or damaged: %s" % error) from error


def _saved_model_in(folder: str) -> str:
    for here, _, files in os.walk(folder):
        if "saved_model.pb" in files:
            return here
    raise WorkerError("model", "the archive has no saved_model.pb")
