"""Memory that training data may take."""

import os
from typing import List, Optional, Union

MEMORY = "memory"
"""Value of keep_last: as many batches as memory holds."""

KeepLast = Union[int, str, None]

_GIBIBYTE = 2**30


def check_keep_last(keep_last: KeepLast) -> None:
    """:raises ValueError: keep_last is neither a positive number, MEMORY nor None"""
    if keep_last is None or keep_last == MEMORY:
        return
    if isinstance(keep_last, bool) or not isinstance(keep_last, int) or keep_last < 1:
        raise ValueError("keep_last is {!r}; it must be a number of batches, 'memory' or None".format(keep_last))


def memory_bytes() -> int:
    """Memory in bytes that this process may use: the machine's, or less where its control group says so."""
    limits = [_machine_bytes(), _group_limit("/proc/self/cgroup", "/sys/fs/cgroup")]
    return min(limit for limit in limits if limit is not None)


def _machine_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 8 * _GIBIBYTE


def _group_limit(membership: str, root: str) -> Optional[int]:
    """The least limit in bytes of the process's control group and those above it (versions 1 and 2), None if there is none."""
    found: List[int] = []
    try:
        with open(membership, encoding="utf-8") as lines:
            groups = [line.rstrip("\n").split(":", 2) for line in lines]
    except OSError:
        return None
    for _, controllers, path in groups:
        if controllers == "":
            folder, name = root, "memory.max"
        elif "memory" in controllers.split(","):
            folder, name = os.path.join(root, "memory"), "memory.limit_in_bytes"
        else:
            continue
        parts = [part for part in path.split("/") if part]
        for depth in range(len(parts) + 1):
            limit = _number_in(os.path.join(folder, *parts[:depth], name))
            if limit is not None:
                found.append(limit)
    return min(found) if found else None


def _number_in(path: str) -> Optional[int]:
    try:
        with open(path, encoding="utf-8") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None
