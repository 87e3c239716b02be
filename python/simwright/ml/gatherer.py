"""Samples in batches of one size, whatever sizes they come in."""

from typing import Any, Iterator, List

from .window import Batch


class Gatherer:
    """Samples in batches of one size, whatever sizes they come in."""

    def __init__(self, batch_size: int) -> None:
        self._batch_size = batch_size
        self._parts: List[Batch] = []
        self._start = 0
        self._count = 0
        self._done: List[Batch] = []

    def add(self, batch: Batch) -> Iterator[Any]:
        """Gives the pairs of samples and targets that are whole now."""
        self._parts.append(batch)
        self._count += len(batch.samples)
        while self._count >= self._batch_size:
            yield self._take(self._batch_size)

    def rest(self) -> Iterator[Any]:
        """Gives what is left, as one pair, if anything is."""
        if self._count > 0:
            yield self._take(self._count)

    def take_done(self) -> List[Batch]:
        """Batches of producers all of whose samples have been taken since the last call."""
        done, self._done = self._done, []
        return done

    def _take(self, count: int) -> Any:
        import numpy

        samples, targets = [], []
        self._count -= count
        while count > 0:
            first = self._parts[0]
            end = min(len(first.samples), self._start + count)
            samples.append(first.samples[self._start : end])
            if first.targets is not None:
                targets.append(first.targets[self._start : end])
            count -= end - self._start
            self._start = end
            if end == len(first.samples):
                self._done.append(self._parts.pop(0))
                self._start = 0
        # A copy in any case: what the store has sent goes away with its data set.
        return numpy.concatenate(samples), numpy.concatenate(targets) if targets else None
