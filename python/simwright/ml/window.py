"""Samples that a trainer holds: the last batches of a stream, in two arrays that grow in place."""

from collections import deque
from typing import Any, Deque, List, NamedTuple, Optional, Tuple

from .errors import TrainingDataError


class Batch(NamedTuple):
    """One data set of the store: arrays with one row a sample."""

    samples: Any
    targets: Optional[Any]
    source: int
    """Number of the source that it comes from."""
    place: int
    """Place in the list of its source."""


class Column:
    """An array whose rows are appended at the end and dropped at the start, both without moving the others each time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._buffer: Any = None
        self._start = 0
        self._end = 0

    @property
    def rows(self) -> Any:
        """The rows that are there, as a view."""
        return None if self._buffer is None else self._buffer[self._start : self._end]

    @property
    def num_bytes(self) -> int:
        return 0 if self._buffer is None else int(self.rows.nbytes)

    def append(self, parts: List[Any]) -> None:
        """:raises TrainingDataError: an array has another type, or rows of another shape, than those before"""
        import numpy

        first = parts[0] if self._buffer is None else self._buffer
        for part in parts:
            if part.ndim < 1 or part.shape[1:] != first.shape[1:] or part.dtype != first.dtype:
                raise TrainingDataError(
                    "'{}' has a batch of {} {} after batches of {} {}: the first dimension counts samples, the others and the "
                    "type must be the same in all".format(
                        self._name, part.dtype, list(part.shape), first.dtype, ["…", *first.shape[1:]]
                    )
                )
        count = sum(len(part) for part in parts)
        self._make_room(numpy, first, count)
        for part in parts:
            self._buffer[self._end : self._end + len(part)] = part
            self._end += len(part)

    def drop(self, count: int) -> None:
        """Drops the first rows."""
        self._start += count

    def _make_room(self, numpy: Any, like: Any, count: int) -> None:
        capacity = 0 if self._buffer is None else len(self._buffer)
        if self._end + count <= capacity:
            return
        held = self._end - self._start
        # Half of the room is free after a move, so that each row moves at most twice on average.
        fresh = self._buffer
        if 2 * (held + count) > capacity:
            fresh = numpy.empty((2 * (held + count) if held else held + count, *like.shape[1:]), like.dtype)
        if held:
            fresh[:held] = self.rows.copy() if fresh is self._buffer else self.rows
        self._buffer, self._start, self._end = fresh, 0, held


class Window:
    """The last batches of a stream, within a number of batches and a number of bytes; without limits, all of them.

    One batch is held in any case.
    """

    def __init__(self, sample_name: str, target_name: str, most_batches: Optional[int], most_bytes: Optional[int]) -> None:
        self._samples = Column(sample_name)
        self._targets = Column(target_name)
        self._most_batches = most_batches
        self._most_bytes = most_bytes
        self._sizes: Deque[Tuple[int, int, int]] = deque()
        self.num_samples = 0
        self.dropped = 0

    @property
    def samples(self) -> Any:
        """Array of shape (samples, ...), None before the first batch."""
        return self._samples.rows

    @property
    def targets(self) -> Any:
        """Array of shape (samples, ...), None before the first batch or without targets."""
        return self._targets.rows

    @property
    def num_bytes(self) -> int:
        return self._samples.num_bytes + self._targets.num_bytes

    def oldest(self, source: int) -> Optional[int]:
        """Place in its list of the first batch that is held of a source, None if there is none."""
        return min((place for _, of, place in self._sizes if of == source), default=None)

    def append(self, batches: List[Batch]) -> None:
        """Adds batches, and drops the oldest ones that are too many.

        :raises TrainingDataError: arrays that do not fit together
        """
        if not batches:
            return
        self._samples.append([batch.samples for batch in batches])
        targets = [batch.targets for batch in batches if batch.targets is not None]
        if targets:
            self._targets.append(targets)
        for batch in batches:
            self._sizes.append((len(batch.samples), batch.source, batch.place))
            self.num_samples += len(batch.samples)
        while len(self._sizes) > 1 and self._is_full():
            count = self._sizes.popleft()[0]
            self._samples.drop(count)
            if self._targets.rows is not None:
                self._targets.drop(count)
            self.num_samples -= count
            self.dropped += 1

    def _is_full(self) -> bool:
        if self._most_batches is not None and len(self._sizes) > self._most_batches:
            return True
        return self._most_bytes is not None and self.num_bytes > self._most_bytes
