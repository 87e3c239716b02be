"""Datasets of PyTorch, with its own loaders, workers and distributed training."""

import pickle

import numpy as np
import pytest
from batches import batch_of, rows_of

from simwright.ml import TrainingUploader

torch = pytest.importorskip("torch")

from simwright.ml.torch import DataLoader, DynamicDataGenerator, SampleDataset, StaticDataGenerator  # noqa: E402

torch.set_num_threads(1)


def put(count, first=0, **options):
    uploader = TrainingUploader(**options)
    for number in range(first, first + count):
        uploader.put_batch(*batch_of(number))
    return uploader


def test_batches_are_tensors(producer):
    put(4)
    dataset = DynamicDataGenerator("training_data", batch_size=8)
    assert isinstance(dataset, torch.utils.data.IterableDataset)
    samples, targets = next(iter(dataset))
    assert samples.dtype == torch.float32 and targets.dtype == torch.int64 and samples.shape == (8, 3)
    assert rows_of(dataset) == list(range(16))


def test_workers_share_the_batches_and_see_new_ones(producer):
    uploader = put(6)
    dataset = DynamicDataGenerator("training_data", batch_size=2)
    loader = DataLoader(dataset, num_workers=2)
    seen = []
    for epoch in dataset.epochs():
        seen.append(rows_of(loader))
        if epoch == 0:
            put(3, first=6).end()
    assert seen[0] == list(range(24)) and seen[-1] == list(range(36)) and len(seen) == 2
    assert uploader.batch_idx == 6


def test_more_workers_than_batches_end_with_the_stream(producer):
    put(1).end()
    dataset = DynamicDataGenerator("training_data", batch_size=2)
    assert rows_of(DataLoader(dataset, num_workers=2)) == list(range(4))


def test_static_data_stay_as_they_are(producer):
    put(2)
    dataset = StaticDataGenerator("training_data", batch_size=4)
    assert rows_of(dataset) == list(range(8))
    put(2, first=2)
    assert rows_of(dataset) == list(range(8))
    for kind, dynamic in ((StaticDataGenerator, True), (DynamicDataGenerator, False)):
        with pytest.raises(ValueError, match="dynamic={}".format(not dynamic)):
            kind("training_data", dynamic=dynamic)


def test_single_samples_for_pytorchs_own_loaders(producer):
    put(5)
    dataset = SampleDataset("training_data")
    assert len(dataset) == 20 and int(dataset[3][0][0]) == 3 and int(dataset[-1][1]) == 4
    with pytest.raises(IndexError):
        dataset[20]
    loader = torch.utils.data.DataLoader(dataset, batch_size=6, shuffle=True, num_workers=2)
    assert rows_of(loader) == list(range(20))
    sampler = torch.utils.data.distributed.DistributedSampler(dataset, num_replicas=2, rank=1, shuffle=False)
    assert rows_of(torch.utils.data.DataLoader(dataset, batch_size=5, sampler=sampler)) == list(range(1, 20, 2))


def test_a_dataset_can_be_sent_to_another_process(producer):
    put(2)
    dataset = DynamicDataGenerator("training_data", batch_size=4)
    assert rows_of(dataset) == rows_of(pickle.loads(pickle.dumps(dataset))) == list(range(8))


REPLICA = """
    import sys
    import numpy as np
    import torch
    from batches import rows_of
    from simwright.ml.torch import DynamicDataGenerator
    torch.set_num_threads(1)
    rank, folder = int(sys.argv[1]), sys.argv[2]
    torch.distributed.init_process_group("gloo", init_method="file://" + folder + "/meet", rank=rank, world_size=2)
    dataset = DynamicDataGenerator("training_data", batch_size=4)
    rows = rows_of(dataset)
    weight = torch.ones(3, requires_grad=True)
    for samples, _ in dataset:
        (samples @ weight).mean().backward()
    # As DistributedDataParallel does, whose import takes long.
    torch.distributed.all_reduce(weight.grad)
    np.save("{}/{}.npy".format(folder, rank), np.array(rows))
    np.save("{}/gradient{}.npy".format(folder, rank), weight.grad.numpy())
    torch.distributed.destroy_process_group()
"""


def test_processes_of_a_distributed_training_share_the_batches(producer, begin, tmp_path):
    put(6).end()
    replicas = [begin(REPLICA, rank, tmp_path) for rank in range(2)]
    assert [replica.wait(60) for replica in replicas] == [0, 0]
    first, second = (np.load(tmp_path / "{}.npy".format(rank)).tolist() for rank in range(2))
    assert sorted(first + second) == list(range(24)) and len(first) == len(second) == 12
    assert np.array_equal(*(np.load(tmp_path / "gradient{}.npy".format(rank)) for rank in range(2)))


def test_smartsims_generator_reads_what_we_put(producer):
    pytest.importorskip("smartsim_classes")
    from smartsim.ml.torch.data import DynamicDataGenerator as Theirs

    put(4).publish_info()
    dataset = Theirs(data_info_or_list_name="training_data", batch_size=4, cluster=False)
    dataset.init_samples(wait_interval=0.01)
    assert rows_of(dataset) == list(range(16))
