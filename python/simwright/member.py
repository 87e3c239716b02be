"""Facts that an application wants to know of its own member."""

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Type, TypeVar, Union

ParamValue = Union[str, int, float, bool]
T = TypeVar("T", str, int, float, bool)


class StoreAddress(NamedTuple):
    """A store that the member can reach."""

    addresses: Tuple[str, ...]
    """host:port, or unix://PATH, of each of its servers."""
    is_clustered: bool
    """True if it is a Redis Cluster."""

    @property
    def address(self) -> str:
        """The first of its addresses."""
        return self.addresses[0]


class Member:
    """A model, or a member of an ensemble, in its directory.

    `directory`: its directory, absolute. `name`: NAME of a model, NAME_3 of a member. `index`: its number in its ensemble, 0 for a model.
    `entity`: name of the ensemble or model. `params`: its parameters by name.
    """

    def __init__(self, directory: Union[str, "os.PathLike[str]"], environment: Optional[Mapping[str, str]] = None) -> None:
        """
        :param directory: the member's directory in DIR/run
        :param environment: variables that the member runs with, if it runs
        :raises FileNotFoundError: the directory is not in the run/ of a compiled folder
        """
        self._environment: Mapping[str, str] = {} if environment is None else environment
        self.directory = Path(directory).absolute()
        self.folder = _compiled_folder(self.directory)
        parent = self.directory.parent
        self.entity: str = self.directory.name if parent.name == "run" else parent.name
        self.name: str = self.directory.name
        ending = self.name[len(self.entity) + 1 :]
        self.index: int = int(ending) if ending.isdigit() else 0
        self.params: Dict[str, ParamValue] = _params_in(self.directory)

    @property
    def experiment(self) -> str:
        """Name of the experiment."""
        return str(_plan_of(self.folder)["experiment"])

    @property
    def job(self) -> Optional[str]:
        """Name of the job that it runs in, None for one that does not run."""
        return self._environment.get("SIMWRIGHT_JOB")

    @property
    def job_id(self) -> Optional[str]:
        """The scheduler's id of that job."""
        return self._environment.get("SIMWRIGHT_JOB_ID")

    @property
    def incoming(self) -> List[str]:
        """Names of members whose keys it may read."""
        return [name for name in self._environment.get("SSKEYIN", "").split(",") if name]

    @property
    def key_prefix(self) -> Optional[str]:
        """Prefix of the keys that it writes, None if it writes them without one."""
        return self._environment.get("SSKEYOUT") or None

    @property
    def stores(self) -> Dict[str, StoreAddress]:
        """Stores that it can reach, by identifier; the one without is ''."""
        found = {}
        for variable, value in sorted(self._environment.items()):
            if (variable == "SSDB" or variable.startswith("SSDB_")) and value:
                kind = self._environment.get("SR_DB_TYPE" + variable[4:], "Clustered")
                found[variable[5:]] = StoreAddress(tuple(value.split(",")), kind.lower() == "clustered")
        return found

    def param(self, name: str, kind: Type[T]) -> T:
        """A parameter, which must be of that type; a float may be written as an int.

        :raises KeyError: there is no such parameter
        :raises TypeError: it is of another type
        """
        if name not in self.params:
            known = ", ".join(self.params) or "none"
            raise KeyError("{} has no parameter {!r}; it has: {}".format(self.name, name, known))
        value = self.params[name]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)  # type: ignore[return-value]
        if type(value) is not kind:
            raise TypeError("the parameter {} is {!r}, which is no {}".format(name, value, kind.__name__))
        return value

    def as_dict(self) -> Dict[str, Any]:
        """All of it as plain data, for JSON."""
        return {
            "name": self.name,
            "entity": self.entity,
            "index": self.index,
            "params": dict(self.params),
            "directory": str(self.directory),
            "experiment": self.experiment,
            "job": self.job,
            "job_id": self.job_id,
            "incoming": self.incoming,
            "key_prefix": self.key_prefix,
            "stores": {
                name: {"addresses": list(store.addresses), "is_clustered": store.is_clustered}
                for name, store in self.stores.items()
            },
        }

    def __repr__(self) -> str:
        return "<Member {} of {}: {}>".format(self.name, self.experiment, self.params)


def current() -> Member:
    """The member that this process is.

    :raises RuntimeError: it was not started by Simwright
    """
    directory = os.environ.get("SIMWRIGHT_DIR")
    if not directory:
        raise RuntimeError(
            "this process has not been started by Simwright: SIMWRIGHT_DIR is not set; simwright.Member('DIR/run/NAME') "
            "is the member of a directory"
        )
    return Member(directory, os.environ)


def _compiled_folder(directory: Path) -> Path:
    for folder in directory.parents:
        if (folder / "plan.json").is_file():
            return folder
    raise FileNotFoundError("{} is not in the run/ of a compiled folder: there is no plan.json above it".format(directory))


@lru_cache(maxsize=8)
def _plan_of(folder: Path) -> Dict[str, Any]:
    with open(folder / "plan.json", encoding="utf-8") as file:
        plan: Dict[str, Any] = json.load(file)
    return plan


def _params_in(directory: Path) -> Dict[str, ParamValue]:
    try:
        with open(directory / "params.json", encoding="utf-8") as file:
            params: Dict[str, ParamValue] = json.load(file)
    except FileNotFoundError:
        return {}
    return params
