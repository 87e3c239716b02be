"""Python side of Simwright.

`run` is the member that this process is: its parameters, directory, experiment and stores. `results(DIR)` lists the members of a
compiled folder with parameters and files. `simwright.ml` trains networks while simulations run.
"""

from typing import TYPE_CHECKING, Any, List

__version__ = "0.1.0"

__all__ = ["Member", "Results", "__version__", "results", "run"]

if TYPE_CHECKING:
    from .member import Member
    from .member_results import Results, results

    run: Member

_MODULES = {"Member": "member", "Results": "member_results", "results": "member_results"}


def __getattr__(name: str) -> Any:
    # The workers of stores need none of it, and start the sooner for it.
    from importlib import import_module

    if name == "run":
        return import_module(".member", __name__).current()
    if name in _MODULES:
        return getattr(import_module("." + _MODULES[name], __name__), name)
    raise AttributeError("module {!r} has no attribute {!r}".format(__name__, name))


def __dir__() -> List[str]:
    return sorted([*globals(), *__all__])
