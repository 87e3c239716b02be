"""Windows of samples against what a list of all batches says."""

import numpy as np
import pytest

from simwright.ml import memory
from simwright.ml.window import Batch, Window


def batch(index, size):
    samples = np.full((size, 2), index, np.float32)
    return Batch(samples, samples[:, 0].astype(np.int32), 0, index)


@pytest.mark.parametrize("most", [1, 3, 7, None])
def test_the_last_batches_are_held_in_order(most):
    window = Window("samples", "targets", most, None)
    random = np.random.default_rng(5)
    sizes = []
    for index in range(300):
        sizes.append(int(random.integers(1, 9)))
        window.append([batch(index, sizes[-1])])
        held = sizes if most is None else sizes[-most:]
        first = len(sizes) - len(held)
        wanted = np.repeat(np.arange(first, len(sizes)), held)
        assert np.array_equal(window.targets, wanted)
        assert np.array_equal(window.samples, np.repeat(wanted[:, None], 2, axis=1))
        assert (window.num_samples, window.dropped, window.oldest(0)) == (len(wanted), first, first)


def test_memory_stays_within_its_bound():
    window = Window("samples", "targets", None, 10_000)
    for index in range(500):
        window.append([batch(2 * index, 10), batch(2 * index + 1, 10)])
        assert window.num_bytes <= 10_000
        assert window._samples._buffer.nbytes + window._targets._buffer.nbytes <= 3 * 10_000
    assert window.num_samples == 10_000 // 12 // 10 * 10
    window.append([batch(0, 5000)])
    assert window.num_samples == 5000, "one batch is held in any case"


def test_memory_of_a_control_group(tmp_path):
    assert 0 < memory.memory_bytes() <= memory._machine_bytes()
    membership = tmp_path / "cgroup"
    (tmp_path / "job/step").mkdir(parents=True)
    (tmp_path / "job/memory.max").write_text("1073741824\n")
    (tmp_path / "job/step/memory.max").write_text("max\n")
    membership.write_text("0::/job/step\n")
    assert memory._group_limit(str(membership), str(tmp_path)) == 2**30
    (tmp_path / "memory/job").mkdir(parents=True)
    (tmp_path / "memory/job/memory.limit_in_bytes").write_text("4096\n")
    membership.write_text("3:cpu,cpuacct:/\n2:memory:/job\n")
    assert memory._group_limit(str(membership), str(tmp_path)) == 4096
    assert memory._group_limit(str(tmp_path / "none"), str(tmp_path)) is None
