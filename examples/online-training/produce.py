"""A producer: computes a cavity and puts its flow into the store as it spins up.

Samples are pairs of log10(Re) and time in L/U, [1, 2]; targets are velocities, [1, 2, 32, 32].
"""

import signal
import sys

import numpy as np
from simwright import run
from simwright.ml import TrainingUploader

from cavity import INTERVAL, Cavity


def produce():
    reynolds = run.param("REYNOLDS", float)
    cavity = Cavity(run.param("CELLS", int), reynolds)
    # At the end of the block, trainers are told that no more comes.
    with TrainingUploader("flow", "reynolds_time", "velocity") as uploader:
        uploader.publish_info()
        for number in range(1, round(run.param("END_TIME", float) / INTERVAL) + 1):
            cavity.advance_to(number * INTERVAL)
            sample = np.array([[np.log10(reynolds), cavity.time]], np.float32)
            uploader.put_batch(sample, cavity.field()[np.newaxis])
    print(f"Re = {reynolds:g}: {uploader.batch_idx} fields, to t = {cavity.time:.1f} L/U")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    produce()
