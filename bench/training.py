"""Samples a second of training data: through a store by our classes and by SmartSim's, and as .npy files on a local disk.

Arguments: a folder on a local disk, the number of rounds. SSDB says where the store is. Prints, by load, a row of samples a second a
round: ours, SmartSim's, the files; each for putting, for reading, and for both.
"""

import importlib.util
import json
import logging
import os
import random
import shutil
import sys
import time
import types
import uuid
from pathlib import Path

import numpy as np

from simwright.ml import TrainingDownloader, TrainingUploader

# Batches, samples a batch, values a sample.
LOADS = {"small": (2000, 16, 64), "medium": (300, 16, 1024), "large": (60, 16, 16384)}
STEPS = 10  # of a stream: some batches are put, then all are read and given once


def smartsims_classes():
    """SmartSim's `ml` without the rest of SmartSim, of which it uses the log and the errors."""
    package, log = types.ModuleType("smartsim"), types.ModuleType("smartsim.log")
    package.__path__ = [str(Path(importlib.util.find_spec("smartsim").origin).parent)]
    log.get_logger = logging.getLogger
    sys.modules.update({"smartsim": package, "smartsim.log": log})
    from smartsim.ml import DataDownloader, TrainingDataUploader

    return TrainingDataUploader, DataDownloader


class Files:
    """The same loop with two files a batch in place of the store."""

    def __init__(self, folder):
        self.folder, self.count, self.read = folder, 0, 0
        self.samples = self.targets = None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def put_batch(self, samples, targets):
        for name, array in (("x", samples), ("y", targets)):
            # Renamed into place, as a reader that runs meanwhile needs it.
            np.save(self.folder / f"part.{name}.npy", array)
            os.replace(self.folder / f"part.{name}.npy", self.folder / f"{self.count}.{name}.npy")
        self.count += 1

    def epoch(self):
        new = range(self.read, self.count)
        self.read = self.count
        both = []
        for name, before in (("x", self.samples), ("y", self.targets)):
            parts = [np.load(self.folder / f"{number}.{name}.npy") for number in new]
            both.append(np.concatenate(parts if before is None else [before, *parts]))
        self.samples, self.targets = both
        order = np.random.permutation(len(self.samples))
        for start in range(0, len(order) - 31, 32):
            rows = order[start : start + 32]
            yield self.samples[rows], self.targets[rows]


class Stream:
    """One way of putting and reading, under keys of its own, with the seconds that it has taken."""

    def __init__(self, put, epoch):
        self.put, self.epoch, self.putting, self.reading = put, epoch, 0.0, 0.0

    def step(self, count, samples, targets):
        begun = time.perf_counter()
        for _ in range(count):
            self.put(samples, targets)
        put = time.perf_counter()
        for x, y in self.epoch():
            assert len(x) == len(y)
        self.putting += put - begun
        self.reading += time.perf_counter() - put


def through_store(upload, download):
    os.environ["SSKEYOUT"] = os.environ["SSKEYIN"] = "p" + uuid.uuid4().hex[:8]
    uploader = upload(cluster=False)
    uploader.publish_info()
    downloader = download("training_data", batch_size=32, cluster=False, init_samples=False)
    has_begun = []

    def epoch():
        if not has_begun:
            # The first samples are waited for; they are there.
            downloader.init_samples()
            has_begun.append(True)
        return iter(downloader)

    return Stream(uploader.put_batch, epoch)


def main():
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    theirs = smartsims_classes()

    class Theirs(theirs[1]):
        """SmartSim's class without its sleep of ten seconds, which would be all there is to measure."""

        def init_samples(self, init_trials=-1, wait_interval=0.0):
            super().init_samples(init_trials, wait_interval)

    from smartredis import Client

    client = Client(None)
    found = {}
    for name, (batches, rows, width) in LOADS.items():
        samples = np.random.default_rng(1).random((rows, width), np.float32)
        targets = np.arange(rows)
        found[name] = {"bytes": samples.nbytes, "rows": []}
        for _ in range(rounds):
            files = Files(folder / "files")
            streams = {
                "ours": through_store(TrainingUploader, TrainingDownloader),
                "smartsim": through_store(theirs[0], Theirs),
                "files": Stream(files.put_batch, files.epoch),
            }
            # Step by step, in any order: what else the machine does meets all of them, and so do files that are still being written.
            for _ in range(STEPS):
                for stream in random.sample(list(streams.values()), 3):
                    stream.step(batches // STEPS, samples, targets)
            count = batches * rows
            found[name]["rows"].append(
                {
                    kind: {
                        "put": count / stream.putting,
                        "read": count / stream.reading,
                        "both": count / (stream.putting + stream.reading),
                    }
                    for kind, stream in streams.items()
                }
            )
            client.flush_db([os.environ["SSDB"]])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
