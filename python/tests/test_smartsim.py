"""SmartSim's own classes at either end of a stream."""

import numpy as np
import pytest
from batches import batch_of, rows_of
from smartredis import Client

from simwright.ml import DataInfo, TrainingDownloader, TrainingUploader

smartsim = pytest.importorskip("smartsim_classes")


@pytest.mark.parametrize("rank", [None, 3])
@pytest.mark.parametrize(
    "names",
    [{}, {"sample_name": "x", "target_name": "x"}, {"target_name": ""}, {"num_classes": 5, "list_name": "digits"}],
    ids=str,
)
def test_the_same_keys_and_bytes(raw, monkeypatch, names, rank):
    def write(kind, prefix, **options):
        monkeypatch.setenv("SSKEYOUT", prefix)
        uploader = kind(cluster=False, rank=rank, **names, **options)
        uploader.publish_info()
        for number in range(3):
            uploader.put_batch(*batch_of(number))
        return raw.dump(prefix)

    theirs = write(smartsim.TrainingDataUploader, "theirs{}{}".format(rank, len(str(names))))
    ours = write(TrainingUploader, "ours{}{}".format(rank, len(str(names))), end_of_stream=False)
    assert len(theirs) >= 8
    assert ours == theirs


def test_their_uploader_and_our_downloader(producer):
    uploader = smartsim.TrainingDataUploader(cluster=False, num_classes=5, sample_name="x", target_name="y")
    uploader.publish_info()
    for number in range(5):
        uploader.put_batch(*batch_of(number))
    downloader = TrainingDownloader("training_data", batch_size=10)
    assert (downloader.sample_name, downloader.target_name, downloader.num_classes) == ("x", "y", 5)
    assert rows_of(downloader) == list(range(20))
    uploader.put_batch(*batch_of(5))
    assert rows_of(downloader) == sorted(downloader.samples[downloader.indices[:20], 0].astype(int).tolist())
    assert downloader.num_samples == 24 and downloader.published_end() is None


def test_our_uploader_and_their_downloader(producer):
    with TrainingUploader(num_classes=5) as uploader:
        uploader.publish_info()
        for number in range(5):
            uploader.put_batch(*batch_of(number))
    downloader = smartsim.DataDownloader("training_data", batch_size=10, cluster=False, wait_interval=0.01)
    assert downloader.num_classes == 5
    assert rows_of(downloader) == list(range(20))
    uploader = TrainingUploader()
    uploader.put_batch(*batch_of(5))
    downloader.update_data()
    assert downloader.num_samples == 24


@pytest.mark.parametrize("kind", [smartsim.DataDownloader, TrainingDownloader], ids=["theirs", "ours"])
def test_the_same_share_of_a_replica(producer, kind):
    uploader = TrainingUploader(end_of_stream=False)
    for number in range(7):
        uploader.put_batch(*batch_of(number))
    info = DataInfo("training_data") if kind is TrainingDownloader else smartsim.DataInfo("training_data")
    shares = []
    for rank in range(3):
        downloader = kind(info, batch_size=4, cluster=False, replica_rank=rank, num_replicas=3, wait_interval=0.01)
        shares.append(rows_of(downloader))
    starts = [[row // 4 for row in share[::4]] for share in shares]
    assert starts == [[0, 3, 6], [1, 4], [2, 5]]


def test_what_info_says_of_itself(producer):
    for words in (("l",), ("l", "x", ""), ("l", "x", "y", 7)):
        assert repr(DataInfo(*words)) == repr(smartsim.DataInfo(*words))
    client = Client(None)
    smartsim.DataInfo("l", "x", "y", 7).publish(client)
    info = DataInfo("l")
    assert info.download(client) and repr(info) == repr(DataInfo("l", "x", "y", 7))
    assert not DataInfo("other").download(client)


def test_an_array_in_fortrans_order_arrives_as_it_is(producer):
    """SmartRedis sends its bytes as they lie; SmartSim's uploader does nothing about it."""
    samples = np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4))
    TrainingUploader(target_name="", end_of_stream=False).put_batch(samples)
    downloader = TrainingDownloader(DataInfo("training_data", target_name=""), batch_size=3, shuffle=False)
    assert np.array_equal(next(iter(downloader)), samples)
