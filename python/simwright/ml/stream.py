"""Reader of streams of training data: one list of data sets in the store for each producer."""

import os
from typing import Any, Dict, Iterator, List, Optional, Sequence

from .errors import TrainingDataError
from .info import DataInfo, form_name
from .producers import Producers
from .store import connect, logger, prefixes_of
from .window import Batch

#: Bytes that are fetched at a time, about.
_CHUNK_BYTES = 32 * 2**20

#: Data sets that are fetched at a time, at first and at most.
_FIRST_CHUNK, _MOST_CHUNK = 16, 1024

#: Clients of a process that this one was forked from. Their threads are not here, so that an attempt to end them would wait for ever.
_inherited: List[Any] = []


class StreamReader:
    """Reads the lists of producers from a place in each. It can be sent to another process, where it connects anew.

    :param info: names of the list and of the tensors
    :param sources: prefixes of the producers' keys, "" for none; None: as SSKEYIN says
    :param cluster: True if the store is a Redis Cluster, None: as SR_DB_TYPE says
    :param address: the store's host:port or unix://PATH, None: as SSDB says
    :param store: identifier of the store
    """

    def __init__(
        self,
        info: DataInfo,
        sources: Optional[Sequence[str]] = None,
        cluster: Optional[bool] = None,
        address: Optional[str] = None,
        store: str = "",
    ) -> None:
        self.info = info
        self.sources: List[str] = list(prefixes_of("SSKEYIN", store) if sources is None else sources) or [""]
        self._where = (cluster, address, store)
        self._client: Any = None
        self._pid = 0
        self._producers = Producers()
        self._chunk = _FIRST_CHUNK
        self.missing = 0
        self.has_info = True
        self.set_replica(0, 1)

    def set_replica(self, rank: int, replicas: int) -> None:
        """Reads from now on the batches at places rank, rank + replicas, … of each list, from their start.

        :raises ValueError: rank is not among the replicas
        """
        if not 0 <= rank < replicas:
            raise ValueError("replica {} of {}: they count from 0".format(rank, replicas))
        self.rank = rank
        self.replicas = replicas
        self.positions = [rank] * len(self.sources)

    @property
    def client(self) -> Any:
        """This process's smartredis.Client."""
        if self._client is None or self._pid != os.getpid():
            if self._client is not None:
                _inherited.append(self._client)
            self._client = connect(*self._where, sources=self.sources)
            self._pid = os.getpid()
        return self._client

    def look_up_info(self) -> bool:
        """Takes the names from the first producer that has published them; False if none has."""
        for source in self.sources:
            self._turn_to(source)
            if self.client.dataset_exists(self.info.dataset_name):
                self.has_info = self.info.download(self.client)
                return True
        self.has_info = False
        return False

    def lengths(self) -> List[int]:
        """Number of batches that each producer has put."""
        found = []
        for source in self.sources:
            self._turn_to(source)
            found.append(int(self.client.get_list_length(self.info.list_name)))
        return found

    def waiting(self) -> int:
        """Number of batches that are there and have not been read."""
        spans = zip(self.positions, self.lengths())
        return sum(max(0, -((position - length) // self.replicas)) for position, length in spans)

    def fetch(self) -> Iterator[List[Batch]]:
        """Reads the batches that are there, and moves on past them; a list of them at a time. The store keeps them."""
        if not self.has_info:
            self.look_up_info()
        for number, length in enumerate(self.lengths()):
            while self.positions[number] < length:
                places = range(self.positions[number], length, self.replicas)[: self._chunk]
                batches = self._read(number, places)
                self.positions[number] = places[-1] + self.replicas
                if batches:
                    self._adapt(batches)
                    yield batches

    def published_end(self) -> Optional[str]:
        """The state in which the stream has ended: 'complete', or 'failed' if a producer failed; None if it goes on.

        In a job of Simwright, a producer that has ended without publishing it has ended all the same.
        """
        state = "complete"
        for source in self.sources:
            self._turn_to(source)
            ended = self._end_of_source() or self._producers.end_of(source)
            if ended is None:
                return None
            state = "failed" if ended == "failed" else state
        return state

    def is_elsewhere(self) -> bool:
        """True if there is a list without a prefix, though producers' lists are awaited with theirs."""
        return "" not in self.sources and bool(self.client.key_exists(self.info.list_name))

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, "_client": None}

    def _turn_to(self, source: str) -> None:
        client = self.client
        client.use_list_ensemble_prefix(source != "")
        client.use_dataset_ensemble_prefix(source != "")
        if source:
            client.set_data_source(source)

    def _end_of_source(self) -> Optional[str]:
        first = self._end_of_rank(None)
        if first is not None:
            return str(first["state"])
        first = self._end_of_rank(0)
        ends = [first] if first is None else [first, *(self._end_of_rank(rank) for rank in range(1, first["ranks"]))]
        if any(end is None for end in ends):
            return None
        return "failed" if any(end is not None and end["state"] == "failed" for end in ends) else "complete"

    def _end_of_rank(self, rank: Optional[int]) -> Optional[Dict[str, Any]]:
        name = form_name(self.info.list_name, "end", rank)
        if not self.client.dataset_exists(name):
            return None
        dataset = self.client.get_dataset(name)
        return {"state": dataset.get_meta_strings("state")[0], "ranks": int(dataset.get_meta_scalars("ranks")[0])}

    def _read(self, number: int, places: range) -> List[Batch]:
        self._turn_to(self.sources[number])
        client, name = self.client, self.info.list_name
        if self.replicas == 1:
            datasets = client.get_dataset_list_range(name, places[0], places[-1])
        else:
            # Each request is answered with whole data sets: those of the other replicas are not asked for.
            datasets = [dataset for place in places for dataset in client.get_dataset_list_range(name, place, place)]
        batches = []
        for place, dataset in zip(places, datasets):
            names = dataset.get_tensor_names()
            if names:
                batches.append(self._batch(dataset, names, number, place))
        gone = len(places) - len(batches)
        if gone:
            self.missing += gone
            logger.warning("%d batches of %s have left the store before they were read", gone, name)
        return batches

    def _batch(self, dataset: Any, names: Sequence[str], number: int, place: int) -> Batch:
        info = self.info
        for name in (info.sample_name, *([info.target_name] if info.need_targets else [])):
            if name not in names:
                raise TrainingDataError(
                    "the data set {} has no tensor '{}', but {}: name its tensors in a DataInfo, or let the producer call "
                    "publish_info()".format(dataset.get_name(), name, ", ".join(sorted(names)))
                )
        samples = dataset.get_tensor(info.sample_name)
        targets = dataset.get_tensor(info.target_name) if info.need_targets else None
        if targets is not None and samples.shape[:1] != targets.shape[:1]:
            raise TrainingDataError(
                "the data set {} has samples of shape {} and targets of shape {}: the first dimension counts samples".format(
                    dataset.get_name(), list(samples.shape), list(targets.shape)
                )
            )
        return Batch(samples, targets, number, place)

    def _adapt(self, batches: List[Batch]) -> None:
        size = max(b.samples.nbytes + (0 if b.targets is None else b.targets.nbytes) for b in batches)
        self._chunk = max(1, min(_MOST_CHUNK, _CHUNK_BYTES // max(1, size)))
