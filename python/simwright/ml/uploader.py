"""Producer's end of a stream of training data."""

import atexit
import os
import sys
from types import TracebackType
from typing import Any, Callable, Optional, Type

from .info import DataInfo, form_name
from .memory import MEMORY, KeepLast, check_keep_last
from .store import be_verbose, connect, logger, prefixes_of

#: Variables in which launchers tell how many ranks there are.
_RANKS = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "ALPS_APP_PE_COUNT")


class TrainingUploader:
    """Puts batches of samples into the store, for a trainer that runs meanwhile.

    Keys and data sets are those of SmartSim's TrainingDataUploader. Use it as a context manager, or call `end()`: trainers then know
    that no more comes. A process that ends without either does so for it.

    :param list_name: name of the list of data sets
    :param sample_name: name of the tensor of samples
    :param target_name: name of the tensor of targets; "" for none
    :param num_classes: number of classes, for targets that are categories
    :param cluster: True if the store is a Redis Cluster; default: as SR_DB_TYPE says
    :param address: the store's host:port or unix://PATH; default: as SSDB says
    :param rank: rank of this process among those that put batches into one list
    :param verbose: True to log each batch
    :param num_ranks: number of such processes; default: as the launcher's environment says
    :param keep_last: batches that stay in the store: a number; "memory": all, until the store has no room for the next; None: all
    :param resume: True if a process that is run again goes on after the batches that it has put before; False: it begins anew
    :param end_of_stream: False if the end is not to be published, as with SmartSim
    :param store: identifier of the store, if there are several
    :raises ValueError: an empty name of the list or of the samples, or a keep_last that is no number of batches
    """

    def __init__(
        self,
        list_name: str = "training_data",
        sample_name: str = "samples",
        target_name: str = "targets",
        num_classes: Optional[int] = None,
        cluster: Optional[bool] = None,
        address: Optional[str] = None,
        rank: Optional[int] = None,
        verbose: bool = False,
        *,
        num_ranks: Optional[int] = None,
        keep_last: KeepLast = MEMORY,
        resume: bool = True,
        end_of_stream: bool = True,
        store: str = "",
    ) -> None:
        if not list_name:
            raise ValueError("the name of the list is empty")
        if not sample_name:
            raise ValueError("the name of the samples is empty")
        check_keep_last(keep_last)
        if verbose:
            be_verbose()
        # With its own prefix as its source, the client finds and deletes what it has written.
        self.client = connect(cluster, address, store, prefixes_of("SSKEYOUT", store))
        self.verbose = verbose
        self.rank = rank
        self.num_ranks = num_ranks if num_ranks is not None else _ranks_of_environment(rank)
        self.keep_last = keep_last
        self.end_of_stream = end_of_stream
        self.info = DataInfo(list_name, sample_name, target_name, num_classes)
        self.batch_idx = self._first_free() if resume else 0
        self._oldest = 0
        self._ended = False
        self._pid = os.getpid()
        if end_of_stream:
            self._reopen()
            atexit.register(self._end_at_exit)

    @property
    def list_name(self) -> str:
        return self.info.list_name

    @property
    def sample_name(self) -> str:
        return self.info.sample_name

    @property
    def target_name(self) -> str:
        return self.info.target_name

    @property
    def num_classes(self) -> Optional[int]:
        return self.info.num_classes

    def publish_info(self) -> None:
        """Publishes the names, so that a trainer needs to know that of the list only."""
        self.info.publish(self.client)

    def put_batch(self, samples: Any, targets: Optional[Any] = None) -> None:
        """Puts a batch into the store, and its name at the end of the list.

        :param samples: array of shape (samples, ...)
        :param targets: array of shape (samples, ...)
        :raises ValueError: samples and targets differ in number
        :raises RuntimeError: the stream has ended
        :raises smartredis.error.RedisReplyError: the store refuses it
        """
        import numpy
        from smartredis import Dataset

        if self._ended:
            raise RuntimeError("end() has been called: no batch can follow")
        # SmartRedis sends the bytes as they lie: an array in Fortran's order would arrive with its values mixed up.
        samples = numpy.ascontiguousarray(samples)
        dataset = Dataset(self._name_of(self.batch_idx))
        dataset.add_tensor(self.sample_name, samples)
        if targets is not None and self.info.need_targets:
            targets = numpy.ascontiguousarray(targets)
            if targets.shape[:1] != samples.shape[:1]:
                raise ValueError(
                    "samples have the shape {} and targets {}: the first dimension counts samples".format(
                        list(samples.shape), list(targets.shape)
                    )
                )
            dataset.add_tensor(self.target_name, targets)
        self._with_room(lambda: self.client.put_dataset(dataset))
        self._with_room(lambda: self.client.append_to_list(self.list_name, dataset))
        self.batch_idx += 1
        if self.verbose:
            logger.info("put %s into the list %s", dataset.get_name(), self.list_name)
        if isinstance(self.keep_last, int):
            while self.batch_idx - self._oldest > self.keep_last:
                self._drop_oldest()

    def end(self, failed: bool = False) -> None:
        """Publishes that no more batches come; trainers end when they have those that are there. May be called again.

        :param failed: True if more should have come
        :raises ValueError: this is one rank of a number that nobody has said
        """
        from smartredis import Dataset

        if self._ended:
            return
        if self.rank is not None and self.num_ranks is None:
            raise ValueError("one rank of how many has ended? say num_ranks")
        dataset = Dataset(self._end_name)
        dataset.add_meta_scalar("batches", self.batch_idx)
        dataset.add_meta_scalar("ranks", self.num_ranks if self.num_ranks is not None else 1)
        dataset.add_meta_string("state", "failed" if failed else "complete")
        self._with_room(lambda: self.client.put_dataset(dataset))
        self._ended = True
        atexit.unregister(self._end_at_exit)

    def __enter__(self) -> "TrainingUploader":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if self.end_of_stream:
            self.end(failed=kind is not None)

    @property
    def _end_name(self) -> str:
        return form_name(self.list_name, "end", self.rank)

    def _name_of(self, index: int) -> str:
        return form_name("training_samples", self.rank, index)

    def _first_free(self) -> int:
        """The place after the last batch that is in the store from an earlier attempt."""
        for index in range(self.client.get_list_length(self.list_name) - 1, -1, -1):
            if self.client.dataset_exists(self._name_of(index)):
                return index + 1
        return 0

    def _reopen(self) -> None:
        if self.client.dataset_exists(self._end_name):
            self.client.delete_dataset(self._end_name)

    def _with_room(self, put: Callable[[], None]) -> None:
        """Puts something, if need be in place of the oldest batches."""
        from smartredis.error import RedisReplyError

        while True:
            try:
                return put()
            except RedisReplyError as error:
                if "OOM " not in str(error) or self.keep_last != MEMORY or self._oldest >= self.batch_idx:
                    raise
                logger.warning("the store is full: batch %d of %s gives way", self._oldest, self.list_name)
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        """Deletes the oldest batch. Its name stays in the list, whose places are what trainers count by."""
        name = self._name_of(self._oldest)
        if self.client.dataset_exists(name):
            self.client.delete_dataset(name)
        self._oldest += 1

    def _end_at_exit(self) -> None:
        # A process that was forked from the producer is not the producer.
        if os.getpid() != self._pid:
            return
        try:
            self.end(failed=getattr(sys, "last_type", None) is not None)
        except Exception as error:  # noqa: BLE001  # The process ends, and the store may have ended before it.
            logger.warning("the end of %s could not be published: %s", self.list_name, error)


def _ranks_of_environment(rank: Optional[int]) -> Optional[int]:
    if rank is None:
        return None
    for variable in _RANKS:
        value = os.environ.get(variable, "")
        if value.isdigit() and int(value) > rank:
            return int(value)
    return None
