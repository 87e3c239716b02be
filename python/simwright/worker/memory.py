"""Memory of the process that the C library keeps for later."""

import ctypes
from typing import Any, Optional


def _trim_function() -> Optional[Any]:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None


_malloc_trim = _trim_function()


def give_memory_back() -> None:
    """Gives memory that is free back to the system, where the C library can do that."""
    if _malloc_trim is not None:
        _malloc_trim(0)
