"""Datasets of PyTorch that read what producers put into the store."""

import os
from typing import Any, Iterator, List, Optional, Tuple

import torch
from torch.utils import data as torch_data

from .downloader import TrainingDownloader


def _replica_of_process() -> Tuple[int, int]:
    """Rank and number of the processes of a distributed training, (0, 1) outside of one."""
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def _tensor_of(array: Any) -> Any:
    return torch.from_numpy(array)


class _TorchDataset(TrainingDownloader):
    """What datasets share: tensors in place of arrays, and a share of the batches for each replica of a distributed training."""

    def __init__(self, data_info_or_list_name: Any, **options: Any) -> None:
        rank, replicas = _replica_of_process()
        options.setdefault("replica_rank", rank)
        options.setdefault("num_replicas", replicas)
        super().__init__(data_info_or_list_name, **options)

    def finished(self, samples: Any, targets: Any) -> Any:
        """A batch as it is given: a tensor, or a pair of tensors."""
        batch = super().finished(samples, targets)
        return tuple(_tensor_of(part) for part in batch) if isinstance(batch, tuple) else _tensor_of(batch)


class DynamicDataGenerator(_TorchDataset, torch_data.IterableDataset):  # type: ignore[type-arg]
    """Batches of tensors, of all samples that are there when an iteration begins: those that have come meanwhile are in the next.

    Options are those of TrainingDownloader. Iterate over it, over this module's DataLoader, or over that of PyTorch with
    `batch_size=None` and `persistent_workers=True`. Each worker reads a share of its own. Samples are waited for where the iteration
    begins, not here.
    """

    _is_dynamic = True

    def __init__(self, data_info_or_list_name: Any, **options: Any) -> None:
        options.pop("init_samples", None)
        if options.pop("dynamic", self._is_dynamic) != self._is_dynamic:
            raise ValueError("{} has dynamic={} always".format(type(self).__name__, self._is_dynamic))
        super().__init__(data_info_or_list_name, init_samples=False, dynamic=self._is_dynamic, **options)
        self._began_in: Optional[int] = None

    def __iter__(self) -> Iterator[Any]:
        """Batches of shape (batch_size, ...), each with its targets if there are some."""
        if self._began_in != os.getpid():
            self._begin()
        return super().__iter__()

    def _begin(self) -> None:
        """Takes the share of this process, and waits for its first samples."""
        worker = torch_data.get_worker_info()
        if worker is not None:
            self._sharers = worker.num_workers
            rank, replicas = self.reader.rank, self.reader.replicas
            self.set_replica_parameters(rank * worker.num_workers + worker.id, replicas * worker.num_workers)
        self.init_samples()
        self._began_in = os.getpid()


class StaticDataGenerator(DynamicDataGenerator):
    """Batches of tensors, of the samples that are there when the first iteration begins, and of no others."""

    _is_dynamic = False


class SampleDataset(_TorchDataset, torch_data.Dataset):  # type: ignore[type-arg]
    """Single samples by number, for PyTorch's own samplers and loaders: `len()` samples, each with its target if there are some.

    Options are those of TrainingDownloader; the first samples are waited for here, unless `init_samples=False`.
    """

    def __len__(self) -> int:
        return self.num_samples

    def __getitem__(self, index: Any) -> Any:
        """A sample of shape (...), and its target."""
        if not -self.num_samples <= index < self.num_samples:
            raise IndexError(index)
        rows = [index % self.num_samples]
        batch = self._data_generation(rows)
        return tuple(part[0] for part in batch) if isinstance(batch, tuple) else batch[0]

    def __getitems__(self, indices: List[int]) -> Any:
        return [self[index] for index in indices]


class DataLoader(torch_data.DataLoader):  # type: ignore[type-arg]
    """PyTorch's loader of a dataset that makes its batches itself; its workers live on from epoch to epoch, with what they have read."""

    def __init__(self, dataset: DynamicDataGenerator, **options: Any) -> None:
        options.setdefault("batch_size", None)
        options.setdefault("persistent_workers", options.get("num_workers", 0) > 0)
        super().__init__(dataset, **options)
