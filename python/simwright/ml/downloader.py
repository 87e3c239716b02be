"""Trainer's end of a stream of training data."""

from typing import Any, Dict, Iterator, List, Optional, Sequence, Union

from .categories import to_one_hot
from .info import DataInfo
from .memory import MEMORY, KeepLast, check_keep_last, memory_bytes
from .store import be_verbose, logger
from .stream import StreamReader
from .waiting import epochs, stream, wait_for_samples
from .window import Window


class TrainingDownloader:
    """Reads what producers put into the store, and gives it in batches: numpy arrays, or pairs of them with targets.

    Keys and data sets are those of SmartSim's DataDownloader. Each iteration looks for new batches, shuffles all samples that are
    held, and gives them once. `epochs()` counts epochs until producers have ended; `stream()` gives each sample once, as it comes.

    :param data_info_or_list_name: names of the training set; with a text those that the producer has published for this list
    :param batch_size: samples in a batch of the iteration
    :param dynamic: False to read once what is there, and nothing that comes later
    :param shuffle: True to mix the samples before each iteration
    :param cluster: True if the store is a Redis Cluster; default: as SR_DB_TYPE says
    :param address: the store's host:port or unix://PATH; default: as SSDB says
    :param replica_rank: number of this replica in distributed training
    :param num_replicas: number of replicas, each of which reads its share of the batches
    :param verbose: True to log what is read
    :param init_samples: True to wait here for the first samples; False: call `init_samples()`
    :param max_fetch_trials: attempts to read the first samples; 0 or -1: any number
    :param wait_interval: seconds between looks at the lists (SmartSim's: 10)
    :param sources: prefixes of the producers' keys, "" for none; default: as SSKEYIN says
    :param keep_last: batches of producers that are held: a number; "memory": as many as a quarter of the memory holds; None: all
    :param end_of_stream: False to take no notice of the published end, as SmartSim's
    :param timeout: seconds without a new batch after which waiting fails; default: none
    :param drop_last: False to give the last samples of an iteration also if they are fewer than a batch
    :param one_hot: True to give targets of `num_classes` classes as vectors
    :param seed: seed of the shuffling
    :param store: identifier of the store, if there are several
    :raises TypeError: the first argument is neither a DataInfo nor a text
    :raises TrainingDataError: no samples came in so many attempts, before the timeout, or before producers ended
    """

    def __init__(
        self,
        data_info_or_list_name: Union[str, DataInfo],
        batch_size: int = 32,
        dynamic: bool = True,
        shuffle: bool = True,
        cluster: Optional[bool] = None,
        address: Optional[str] = None,
        replica_rank: int = 0,
        num_replicas: int = 1,
        verbose: bool = False,
        init_samples: bool = True,
        max_fetch_trials: int = -1,
        wait_interval: float = 0.05,
        *,
        sources: Optional[Sequence[str]] = None,
        keep_last: KeepLast = MEMORY,
        end_of_stream: bool = True,
        timeout: Optional[float] = None,
        drop_last: bool = True,
        one_hot: bool = False,
        seed: Optional[int] = None,
        store: str = "",
    ) -> None:
        import numpy

        if not isinstance(data_info_or_list_name, (str, DataInfo)):
            raise TypeError("the names of the training set must be a DataInfo or the name of its list")
        if batch_size < 1:
            raise ValueError("batch_size is {}; it must be at least 1".format(batch_size))
        check_keep_last(keep_last)
        if verbose:
            be_verbose()
        is_named = isinstance(data_info_or_list_name, DataInfo)
        info = data_info_or_list_name if isinstance(data_info_or_list_name, DataInfo) else DataInfo(data_info_or_list_name)
        self.reader = StreamReader(info, sources, cluster, address, store)
        if not is_named:
            self.reader.look_up_info()
        self.batch_size = batch_size
        self.dynamic = dynamic
        self.shuffle = shuffle
        self.verbose = verbose
        self.wait_interval = wait_interval
        self.max_fetch_trials = max_fetch_trials
        self.keep_last = keep_last
        self.end_of_stream = end_of_stream
        self.timeout = timeout
        self.drop_last = drop_last
        self.one_hot = one_hot
        self.indices: Any = numpy.arange(0)
        self._random = numpy.random.default_rng(seed)
        self._sharers = 1
        self.given: Optional[List[int]] = None
        self.set_replica_parameters(replica_rank, num_replicas)
        if init_samples:
            self.init_samples()

    @property
    def info(self) -> DataInfo:
        return self.reader.info

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

    @property
    def autoencoding(self) -> bool:
        """True if samples are their own targets."""
        return self.info.autoencoding

    @property
    def need_targets(self) -> bool:
        """True if targets are read beside samples."""
        return self.info.need_targets

    @property
    def samples(self) -> Any:
        """Samples that are held: array of shape (samples, ...), None before the first."""
        return self.window.samples

    @property
    def targets(self) -> Any:
        """Targets that are held: array of shape (samples, ...), None if there are none."""
        return self.window.targets

    @property
    def num_samples(self) -> int:
        """Number of samples that are held."""
        return self.window.num_samples

    def __len__(self) -> int:
        """Number of batches of an iteration."""
        whole, rest = divmod(self.num_samples, self.batch_size)
        return whole if self.drop_last or rest == 0 else whole + 1

    def set_replica_parameters(self, replica_rank: int, num_replicas: int) -> None:
        """Reads a share of the batches from now on, and begins anew."""
        self.reader.set_replica(replica_rank, num_replicas)
        self._renew_window()

    def init_samples(self, init_trials: Optional[int] = None, wait_interval: Optional[float] = None) -> None:
        """Waits for samples enough for one batch.

        :param init_trials: attempts, 0 or -1: any number; default: `max_fetch_trials`
        :param wait_interval: seconds between attempts; default: that of the constructor
        :raises TrainingDataError: they have not come
        """
        trials = self.max_fetch_trials if init_trials is None else init_trials
        wait_for_samples(self, trials, self.wait_interval if wait_interval is None else wait_interval)
        self._mix()

    def update_data(self) -> None:
        """Reads new batches if `dynamic`, and mixes the samples if `shuffle`."""
        if self.dynamic:
            self.fetch()
        self._mix()

    def __iter__(self) -> Iterator[Any]:
        """Gives all samples that are held once, in batches, after a look for new ones.

        :raises ValueError: there are fewer samples than a batch has
        """
        self.update_data()
        if len(self) < 1:
            if self.reader.replicas > 1 and self.published_end() is not None:
                return
            raise ValueError("there are fewer samples than one batch has: call init_samples() first")
        for number in range(len(self)):
            yield self._data_generation(self._calc_indices(number))

    def published_end(self) -> Optional[str]:
        """State in which the producers have ended, 'complete' or 'failed'; None while they go on, or without `end_of_stream`."""
        return self.reader.published_end() if self.end_of_stream else None

    @property
    def ended(self) -> bool:
        """True if producers have ended, and everything has been read."""
        return self.published_end() is not None and self.reader.waiting() == 0

    def epochs(self, most: Optional[int] = None, after_end: int = 1) -> Iterator[int]:
        """Numbers of epochs, from 0, until producers have ended.

        :param most: number of epochs at most
        :param after_end: epochs that begin after the end, and thus have all samples
        :raises TrainingDataTimeout: no batch has come for `timeout` seconds
        """
        return epochs(self, most, after_end)

    def stream(self) -> Iterator[Any]:
        """Gives each sample once, in the order of each producer, as it comes; ends with the producers. The last batch may be short.

        :raises TrainingDataTimeout: no batch has come for `timeout` seconds
        """
        return stream(self)

    def state_dict(self) -> Dict[str, Any]:
        """The position in the stream, to be saved beside the model's weights: plain data."""
        return {
            "list_name": self.list_name,
            "replica": [self.reader.rank, self.reader.replicas],
            "next": dict(zip(self.reader.sources, self.reader.positions if self.given is None else self.given)),
            "oldest": {source: self.window.oldest(number) for number, source in enumerate(self.reader.sources)},
        }

    def load_state_dict(self, state: Dict[str, Any], refill: bool = True) -> None:
        """Goes on from a position.

        :param refill: True to read the batches again that were held then; False to read only what came after
        :raises ValueError: the position is of another list, or of another number of replicas
        """
        reader = self.reader
        if state["list_name"] != self.list_name or list(state["replica"]) != [reader.rank, reader.replicas]:
            raise ValueError(
                "the position is one of replica {} of {} of the list {}".format(*state["replica"], state["list_name"])
            )
        self._renew_window()
        self.given = None
        for number, source in enumerate(reader.sources):
            place = state["next"].get(source, reader.rank)
            oldest = state["oldest"].get(source)
            reader.positions[number] = oldest if refill and oldest is not None else place

    def log(self, message: str) -> None:
        """Logs a message if `verbose`."""
        if self.verbose:
            logger.info(message)

    def _renew_window(self) -> None:
        import numpy

        most_batches = self.keep_last if isinstance(self.keep_last, int) else None
        most_bytes = memory_bytes() // (4 * self._sharers) if self.keep_last == MEMORY else None
        self.window = Window(self.sample_name, self.target_name, most_batches, most_bytes)
        self.indices = numpy.arange(0)

    def fetch(self) -> None:
        """Reads the batches that have come."""
        import numpy

        before = self.num_samples, self.window.dropped
        for batches in self.reader.fetch():
            self.window.append(batches)
        if before != (self.num_samples, self.window.dropped):
            self.indices = numpy.arange(self.num_samples)
            self.log("{} samples, {} batches".format(self.num_samples, len(self)))

    def _mix(self) -> None:
        if self.shuffle:
            self._random.shuffle(self.indices)

    def _calc_indices(self, index: int) -> Any:
        return self.indices[index * self.batch_size : (index + 1) * self.batch_size]

    def _data_generation(self, indices: Any) -> Any:
        if self.samples is None:
            raise ValueError("there are no samples yet: call init_samples() first")
        return self.finished(self.samples[indices], None if self.targets is None else self.targets[indices])

    def finished(self, samples: Any, targets: Any) -> Any:
        """A batch as it is given."""
        if self.autoencoding:
            return samples, samples
        if not self.need_targets:
            return samples
        if self.one_hot and self.num_classes:
            targets = to_one_hot(targets, self.num_classes)
        return samples, targets
