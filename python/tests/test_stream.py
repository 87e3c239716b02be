"""Streams of training data: waiting, their end, windows, positions."""

import logging
import time

import numpy as np
import pytest
from batches import batch_of, rows_of
from smartredis import Client

from simwright.ml import DataInfo, TrainingDataError, TrainingDataTimeout, TrainingDownloader, TrainingUploader

PRODUCER = """
    import sys, time
    from batches import batch_of
    from simwright.ml import TrainingUploader
    count, pause_seconds, way = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    uploader = TrainingUploader(num_classes=5)
    uploader.publish_info()
    for number in range(count):
        time.sleep(pause_seconds)
        uploader.put_batch(*batch_of(number))
    if way == "raise":
        raise ArithmeticError("the flow has become unstable")
    if way == "kill":
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
"""


def put(count, first=0, **options):
    uploader = TrainingUploader(**options)
    for number in range(first, first + count):
        uploader.put_batch(*batch_of(number))
    return uploader


def test_a_batch_is_read_as_soon_as_it_is_there(producer, begin):
    begin(PRODUCER, 30, 0.05, "end")
    downloader = TrainingDownloader("training_data", batch_size=4)
    assert downloader.num_samples < 40, "the trainer began before the producer had ended"
    sizes = []
    for _ in downloader.epochs():
        for samples, targets in downloader:
            assert np.array_equal(samples[:, 0] % 5, targets)
        sizes.append(downloader.num_samples)
        time.sleep(0.01)
    assert downloader.ended and sizes[-1] == 120 and sizes == sorted(sizes) and len(set(sizes)) > 5
    assert downloader.num_classes == 5, "though they were published after the trainer began"


def test_each_sample_of_a_stream_once_and_in_order(producer, begin):
    begin(PRODUCER, 25, 0.01, "end")
    batches = list(TrainingDownloader("training_data", batch_size=7, init_samples=False).stream())
    assert [len(samples) for samples, _ in batches] == [7] * 14 + [2]
    assert np.concatenate([samples for samples, _ in batches])[:, 0].tolist() == list(range(100))


@pytest.mark.parametrize("way, state", [("end", "complete"), ("raise", "failed")])
def test_the_end_of_a_process_ends_its_stream(producer, begin, way, state):
    process = begin(PRODUCER, 3, 0, way)
    downloader = TrainingDownloader("training_data", batch_size=4)
    for _ in downloader.epochs():
        pass
    assert downloader.published_end() == state
    assert (process.wait() == 0) == (way == "end")


def test_a_context_manager_ends_its_stream(producer):
    with pytest.raises(KeyError), TrainingUploader() as uploader:
        uploader.put_batch(*batch_of(0))
        raise KeyError
    downloader = TrainingDownloader("training_data", batch_size=4, init_samples=False)
    assert downloader.published_end() == "failed" and not downloader.ended
    assert len(list(downloader)) == 1 and downloader.ended
    with pytest.raises(RuntimeError, match="end\\(\\) has been called"):
        uploader.put_batch(*batch_of(1))


def test_a_silent_producer_ends_the_wait_by_the_timeout(producer, begin):
    begin(PRODUCER, 2, 0, "kill").wait()
    downloader = TrainingDownloader("training_data", batch_size=4, timeout=0.3)
    with pytest.raises(TrainingDataTimeout, match="no batch of training_data has come for 0.3 s"):
        for _ in downloader.epochs():
            rows_of(downloader)
    with pytest.raises(TrainingDataTimeout, match="published no end"):
        list(TrainingDownloader("training_data", batch_size=4, timeout=0.3).stream())
    with pytest.raises(TrainingDataTimeout, match="there are 8 samples under .*, fewer than one batch of 32"):
        TrainingDownloader("training_data", timeout=0.3)
    with pytest.raises(TrainingDataTimeout):
        TrainingDownloader("training_data", max_fetch_trials=2, wait_interval=0.01)


def test_an_end_before_the_first_batch_is_an_error(producer):
    TrainingUploader().end()
    with pytest.raises(TrainingDataError, match="have ended after 0 samples"):
        TrainingDownloader("training_data")
    assert list(TrainingDownloader("training_data", init_samples=False).stream()) == []


def test_a_stream_without_an_end_is_smartsims(producer, raw):
    put(2, end_of_stream=False)
    assert sorted(key.decode() for key in raw("KEYS", producer + ".*end*")) == []
    put(1, first=2).end()
    downloader = TrainingDownloader("training_data", batch_size=4, end_of_stream=False)
    assert downloader.published_end() is None
    assert list(downloader.epochs(most=3)) == [0, 1, 2]


def test_ranks_of_one_producer_end_one_by_one(producer, monkeypatch):
    uploaders = [TrainingUploader(rank=rank, num_ranks=3) for rank in range(3)]
    for number in range(6):
        uploaders[number % 3].put_batch(*batch_of(number))
    downloader = TrainingDownloader("training_data", batch_size=4)
    for uploader in uploaders:
        assert downloader.published_end() is None
        uploader.end()
    assert downloader.published_end() == "complete" and rows_of(downloader) == list(range(24))
    alone = TrainingUploader(rank=1)
    with pytest.raises(ValueError, match="num_ranks"):
        alone.end()
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "3")
    TrainingUploader(rank=1).end()


def test_several_producers_make_one_stream(producer, monkeypatch):
    names = [producer + letter for letter in "abc"]
    monkeypatch.setenv("SSKEYIN", ",".join(names))
    for number, name in enumerate(names):
        monkeypatch.setenv("SSKEYOUT", name)
        put(2, first=2 * number).end()
    assert rows_of(TrainingDownloader("training_data", batch_size=4)) == list(range(24))
    one = TrainingDownloader("training_data", batch_size=4, sources=[names[1]])
    assert rows_of(one) == list(range(8, 16)) and one.ended


def test_a_producer_without_a_prefix(producer, monkeypatch):
    monkeypatch.delenv("SSKEYOUT")
    name = "list" + producer
    put(2, list_name=name).end()
    with pytest.raises(TrainingDataTimeout, match="there is a list '{}' without a prefix".format(name)):
        TrainingDownloader(name, timeout=0.1)
    assert rows_of(TrainingDownloader(name, batch_size=8, sources=[""])) == list(range(8))
    monkeypatch.delenv("SSKEYIN")
    assert rows_of(TrainingDownloader(name, batch_size=8)) == list(range(8))
    assert TrainingUploader(list_name=name).batch_idx == 2


@pytest.mark.parametrize("rank, num_ranks", [(None, None), (1, 2)])
def test_a_producer_that_runs_again_goes_on_after_its_batches(producer, rank, num_ranks):
    if rank == 1:
        put(3, first=10, rank=0, num_ranks=2).end()
    put(2, rank=rank, num_ranks=num_ranks).end()
    again = TrainingUploader(rank=rank, num_ranks=num_ranks)
    assert again.batch_idx == 2
    downloader = TrainingDownloader("training_data", batch_size=4)
    assert downloader.published_end() is None, "it has been begun again"
    again.put_batch(*batch_of(2))
    again.end()
    assert rows_of(downloader) == list(range(12)) + (list(range(40, 52)) if rank == 1 else [])
    assert TrainingUploader(rank=rank, num_ranks=num_ranks, resume=False).batch_idx == 0


def test_a_window_of_batches_on_the_trainers_side(producer):
    uploader = put(10)
    downloader = TrainingDownloader("training_data", batch_size=4, keep_last=3)
    assert rows_of(downloader) == list(range(28, 40))
    uploader.put_batch(*batch_of(10))
    assert rows_of(downloader) == list(range(32, 44)) and downloader.num_samples == 12
    for wrong in (0, -1, True, "much", 1.5):
        with pytest.raises(ValueError, match="keep_last"):
            TrainingDownloader("training_data", keep_last=wrong)


def test_a_window_of_batches_in_the_store(producer, raw, caplog):
    uploader = put(10, keep_last=3)
    uploader.end()
    tensors = raw("KEYS", producer + ".*samples_*.samples")
    assert sorted(key.decode().split("samples_")[1].split("}")[0] for key in tensors) == ["7", "8", "9"]
    with caplog.at_level(logging.WARNING):
        downloader = TrainingDownloader("training_data", batch_size=4)
        assert rows_of(downloader) == list(range(28, 40)) and downloader.ended
    assert downloader.reader.missing == 7 and "7 batches of training_data have left the store" in caplog.text
    assert TrainingUploader(keep_last=3).batch_idx == 10


@pytest.fixture
def little_room(raw):
    """The store with room for about a megabyte more than it holds."""
    used = int(raw("INFO", "memory").decode().split("used_memory:")[1].split("\r")[0])
    raw("CONFIG", "SET", "maxmemory", used + 2**20)
    yield
    raw("CONFIG", "SET", "maxmemory", 0)


def test_the_oldest_batches_give_way_in_a_full_store(producer, little_room, caplog):
    samples = np.zeros((64, 256), np.float32)
    with caplog.at_level(logging.WARNING):
        uploader = TrainingUploader(target_name="")
        for number in range(60):
            uploader.put_batch(samples + number)
    assert "the store is full: batch 0 of training_data gives way" in caplog.text
    downloader = TrainingDownloader(DataInfo("training_data", target_name=""), batch_size=64, shuffle=False)
    numbers = [int(batch[0, 0]) for batch in downloader]
    assert numbers == list(range(60 - len(numbers), 60)) and 5 < len(numbers) < 20
    with pytest.raises(RuntimeError, match="OOM"):
        keeper = TrainingUploader(list_name="kept", target_name="", keep_last=None)
        for number in range(60):
            keeper.put_batch(samples)


def test_a_position_is_resumed(producer):
    uploader = put(6)
    first = TrainingDownloader("training_data", batch_size=4, keep_last=2)
    state = first.state_dict()
    uploader.put_batch(*batch_of(6))
    again = TrainingDownloader("training_data", batch_size=4, init_samples=False)
    again.load_state_dict(state)
    assert rows_of(again) == list(range(16, 28))
    again.load_state_dict(state, refill=False)
    assert rows_of(again) == list(range(24, 28))
    with pytest.raises(ValueError, match="replica 0 of 1 of the list training_data"):
        TrainingDownloader("training_data", batch_size=4, num_replicas=2).load_state_dict(state)


def test_a_stream_goes_on_where_it_was_left(producer):
    put(6).end()
    first = TrainingDownloader("training_data", batch_size=6, init_samples=False)
    batches = first.stream()
    seen = [next(batches), next(batches)]
    state = first.state_dict()
    again = TrainingDownloader("training_data", batch_size=6, init_samples=False)
    again.load_state_dict(state)
    assert rows_of(seen) == list(range(12)) and rows_of(again.stream()) == list(range(12, 24))
    third = next(batches)
    assert rows_of([third]) == list(range(12, 18))
    again.load_state_dict(first.state_dict())
    assert rows_of(again.stream()) == list(range(16, 24)), "a batch that was given in part comes again"


def test_static_data_stay_as_they_are(producer):
    uploader = put(2)
    downloader = TrainingDownloader("training_data", batch_size=4, dynamic=False)
    uploader.put_batch(*batch_of(2))
    assert rows_of(downloader) == list(range(8))


def test_samples_are_mixed_by_the_seed(producer):
    put(8)
    orders = []
    for options in ({"seed": 1}, {"seed": 1}, {"seed": 2}, {"shuffle": False}):
        downloader = TrainingDownloader("training_data", batch_size=4, **options)
        orders.append([int(row) for samples, _ in downloader for row in samples[:, 0]])
    assert orders[0] == orders[1] != orders[2] and orders[3] == list(range(32)) != orders[0]
    assert sorted(orders[2]) == orders[3]


def test_the_last_samples_are_given_if_they_are_wanted(producer):
    put(3)
    assert [len(x) for x, _ in TrainingDownloader("training_data", batch_size=5)] == [5, 5]
    assert [len(x) for x, _ in TrainingDownloader("training_data", batch_size=5, drop_last=False)] == [5, 5, 2]


def test_autoencoding_classes_and_no_targets(producer):
    put(2)
    samples, same = next(iter(TrainingDownloader(DataInfo("training_data", target_name="samples"), batch_size=8)))
    assert same is samples
    alone = next(iter(TrainingDownloader(DataInfo("training_data", target_name=""), batch_size=8)))
    assert alone.shape == (8, 3)
    info = DataInfo("training_data", num_classes=5)
    samples, vectors = next(iter(TrainingDownloader(info, batch_size=8, one_hot=True)))
    assert vectors.shape == (8, 5) and vectors.dtype == np.float32 and (vectors.sum(axis=1) == 1).all()
    assert np.array_equal(vectors.argmax(axis=1), samples[:, 0] % 5)
    with pytest.raises(ValueError, match="categories from 0 to 4, for 3 classes"):
        next(iter(TrainingDownloader(DataInfo("training_data", num_classes=3), batch_size=8, one_hot=True)))


def test_mistakes_are_told(producer):
    for wrong in ({"list_name": ""}, {"sample_name": ""}, {"keep_last": 0}):
        with pytest.raises(ValueError):
            TrainingUploader(**wrong)
    with pytest.raises(TypeError, match="DataInfo"):
        TrainingDownloader(3)
    with pytest.raises(ValueError, match="batch_size"):
        TrainingDownloader("training_data", batch_size=0)
    with pytest.raises(ValueError, match="replica 2 of 2"):
        TrainingDownloader("training_data", replica_rank=2, num_replicas=2)
    uploader = TrainingUploader()
    with pytest.raises(ValueError, match="first dimension counts samples"):
        uploader.put_batch(np.zeros((3, 2)), np.zeros(4))
    uploader.put_batch(np.zeros((3, 2)))
    with pytest.raises(TrainingDataError, match="has no tensor 'targets', but samples"):
        TrainingDownloader("training_data")
    info = DataInfo("training_data", target_name="")
    uploader.put_batch(np.zeros((3, 1)))
    with pytest.raises(TrainingDataError, match=r"'samples' has a batch of float64 \[3, 1\] after batches of float64"):
        TrainingDownloader(info)
    with pytest.raises(ValueError, match="fewer samples than one batch"):
        next(iter(TrainingDownloader(info, init_samples=False, dynamic=False)))


def test_another_store_is_found_by_its_address(producer, monkeypatch):
    import os

    address = os.environ["SSDB"]
    monkeypatch.setenv("SSDB", "127.0.0.1:1")
    monkeypatch.setenv("SR_DB_TYPE", "Clustered")
    put(1, address=address, cluster=False)
    assert TrainingDownloader("training_data", batch_size=4, address=address, cluster=False).num_samples == 4
    assert os.environ["SSDB"] == "127.0.0.1:1"
    for name in ("SSDB", "SSKEYIN", "SSKEYOUT"):
        monkeypatch.setenv(name + "_second", address if name == "SSDB" else producer)
    monkeypatch.setenv("SR_DB_TYPE_second", "Standalone")
    put(1, store="second")
    assert TrainingDownloader("training_data", batch_size=4, store="second").num_samples == 8


def test_a_client_of_the_store_is_at_hand(producer):
    assert isinstance(TrainingUploader().client, Client)
