"""The interface between the worker's loop and its frameworks."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from .frames import Tensor


class Settings(NamedTuple):
    """Options that a worker is started with. Thread counts of 0 leave the choice to the framework."""

    device: str
    """`CPU`, `CPU:n`, `GPU` or `GPU:n`."""
    intra: int
    inter: int

    @property
    def is_gpu(self) -> bool:
        """True if programs run on a GPU."""
        return self.device.startswith("GPU")

    @property
    def gpu(self) -> int:
        """Number of the GPU."""
        _, _, number = self.device.partition(":")
        return int(number or 0)


class Call(NamedTuple):
    """A function of a script to run."""

    fn: str
    is_entry_point: bool
    keys: List[str]
    args: List[str]
    outputs: int


class InputType(NamedTuple):
    """Element type and shape of a model's input; None for a size that may vary."""

    dtype: str
    shape: List[Optional[int]]


class Names(NamedTuple):
    """Facts of a program that has been loaded."""

    inputs: List[str]
    outputs: List[str]
    functions: Optional[Dict[str, List[Dict[str, str]]]] = None
    """Parameters of a script's functions: name and type of each."""
    any_outputs: bool = False
    """True if only a run tells how many outputs there are."""
    input_types: "Optional[List[Optional[InputType]]]" = None
    """Types of a model's inputs, None for one that it does not tell; None where it tells none."""

    def as_json(self) -> Dict[str, Any]:
        """The facts as a frame has them."""
        facts: Dict[str, Any] = {"inputs": self.inputs, "outputs": self.outputs}
        if self.functions is not None:
            facts["functions"] = self.functions
        if self.any_outputs:
            facts["anyOutputs"] = True
        if self.input_types is not None:
            facts["inputTypes"] = [one and {"dtype": one.dtype, "shape": one.shape} for one in self.input_types]
        return facts


class Program:
    """A model or script that has been loaded. A framework's file has one subclass for each of its formats."""

    names: Names

    def run(self, inputs: Sequence[Tensor], call: Optional[Call]) -> "List[Optional[Tensor]]":
        """Outputs of a run. An output that is no tensor is None."""
        raise NotImplementedError


class Framework:
    """A framework that has been imported. Its constructor takes Settings, and raises WorkerError for a device that is not here."""

    name = ""
    version = ""
    device = ""
    """Device as the framework calls it."""

    def load(self, data: memoryview, info: Dict[str, Any]) -> Program:
        """Loads a model or, if `info["kind"]` is "script", a script. Nothing may view the bytes afterwards."""
        raise NotImplementedError
