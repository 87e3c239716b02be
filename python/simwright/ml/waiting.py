"""Waiting for samples: the lists in the store are looked at again and again, so that a batch is read as soon as it is there."""

import time
from typing import TYPE_CHECKING, Any, Iterator, Optional

from .errors import TrainingDataError, TrainingDataTimeout
from .gatherer import Gatherer
from .store import logger

if TYPE_CHECKING:
    from .downloader import TrainingDownloader

#: Seconds of waiting after which it is said what is waited for.
_PATIENCE_SECONDS = 10.0


def wait_for_samples(downloader: "TrainingDownloader", trials: int, interval_seconds: float) -> None:
    """Reads until there are samples enough for one batch; of several replicas, each only as long as producers go on.

    :raises TrainingDataTimeout: they have not come in so many attempts, or before the downloader's timeout
    :raises TrainingDataError: producers have ended before
    """
    begun, attempts, has_said = time.monotonic(), 0, False
    while True:
        has_ended = downloader.published_end() is not None
        downloader.fetch()
        if len(downloader) > 0:
            return
        attempts += 1
        if has_ended:
            # Few batches go round among many replicas: some get none.
            if downloader.reader.replicas > 1:
                return
            raise TrainingDataError(
                "the producers of {} have ended after {} samples, fewer than one batch of {}".format(
                    downloader.list_name, downloader.num_samples, downloader.batch_size
                )
            )
        waited = time.monotonic() - begun
        if attempts == trials or (downloader.timeout is not None and waited > downloader.timeout):
            raise TrainingDataTimeout(_why_nothing(downloader, waited))
        if waited > _PATIENCE_SECONDS and not has_said:
            logger.warning("%s", _why_nothing(downloader, waited))
            has_said = True
        time.sleep(interval_seconds)


def epochs(downloader: "TrainingDownloader", most: Optional[int], after_end: int) -> Iterator[int]:
    """Numbers of epochs until producers have ended, and `after_end` more have begun.

    :raises TrainingDataTimeout: no batch has come for the downloader's timeout
    """
    number, last, lengths = 0, time.monotonic(), downloader.reader.lengths() if downloader.timeout is not None else []
    while after_end > 0 and (most is None or number < most):
        has_ended = downloader.published_end() is not None
        yield number
        number += 1
        after_end -= has_ended
        if downloader.timeout is None or has_ended:
            continue
        now = downloader.reader.lengths()
        if now != lengths:
            last, lengths = time.monotonic(), now
        elif time.monotonic() - last > downloader.timeout:
            raise TrainingDataTimeout(_why_silent(downloader))


def stream(downloader: "TrainingDownloader") -> Iterator[Any]:
    """Gives each sample once, in batches, as it comes. Positions are those of samples that have been given."""
    reader, gatherer = downloader.reader, Gatherer(downloader.batch_size)
    given = downloader.given = list(reader.positions)
    last = time.monotonic()
    while True:
        has_ended = not downloader.dynamic or downloader.published_end() is not None
        found = False
        for batches in reader.fetch():
            found = True
            for batch in batches:
                for samples, targets in gatherer.add(batch):
                    for done in gatherer.take_done():
                        given[done.source] = done.place + reader.replicas
                    yield downloader.finished(samples, targets)
        if found:
            last = time.monotonic()
        elif has_ended:
            break
        elif downloader.timeout is not None and time.monotonic() - last > downloader.timeout:
            raise TrainingDataTimeout(_why_silent(downloader))
        else:
            time.sleep(downloader.wait_interval)
    downloader.given = list(reader.positions)
    for samples, targets in gatherer.rest():
        yield downloader.finished(samples, targets)


def _why_silent(downloader: "TrainingDownloader") -> str:
    return "no batch of {} has come for {} s, and its producers have published no end".format(
        downloader.list_name, downloader.timeout
    )


def _why_nothing(downloader: "TrainingDownloader", waited_seconds: float) -> str:
    name = downloader.list_name
    keys = ", ".join("{}.{}".format(source, name) if source else name for source in downloader.reader.sources)
    text = "after {:.0f} s there are {} samples under {}, fewer than one batch of {}".format(
        waited_seconds, downloader.num_samples, keys, downloader.batch_size
    )
    if downloader.reader.is_elsewhere():
        text += "; there is a list '{}' without a prefix: let its producer prefix its keys, or say sources=['']".format(name)
    return text
