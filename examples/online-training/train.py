"""The trainer: learns the flow of the cavities while they run, and puts the network into the store again and again.

The cavities start when it has put the tensor trainer_ready; it ends after they have. Writes loss.svg and training.json; puts the tensor trained, the number of epochs, when it is done.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch
from simwright.ml.torch import DynamicDataGenerator
from smartredis import Client

from network import Surrogate, onnx_bytes
from picture import loss_over_time

BATCH = 16  # samples
PUBLISH_SECONDS = 2.0  # between two versions of the network in the store
AFTER_END = 150  # epochs with all samples, in which the rate falls
RATE, LAST_RATE = 3e-3, 1e-4


def train():
    begun = time.monotonic()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    client = Client(None, logger_name="trainer")
    client.use_tensor_ensemble_prefix(False)
    onnx_bytes(Surrogate(1))  # loads what it needs
    client.put_tensor("trainer_ready", np.ones(1))
    dataset = DynamicDataGenerator("flow", batch_size=BATCH, seed=1)
    # The names of the tensors, and the first samples, come with the first batches.
    dataset.init_samples()
    model = Surrogate(dataset.targets.shape[-1])
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    history, ended, versions, published = [], None, 0, float("-inf")
    for epoch in dataset.epochs(after_end=AFTER_END):
        if ended is None and dataset.published_end() is not None:
            ended = {"epoch": epoch, "seconds": time.monotonic() - begun, "samples": dataset.num_samples}
        if ended is not None:
            for group in optimizer.param_groups:
                group["lr"] = RATE * (LAST_RATE / RATE) ** min(1, (epoch - ended["epoch"]) / AFTER_END)
        losses = []
        for reynolds_time, velocity in dataset:
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(model(reynolds_time), velocity)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        history.append([time.monotonic() - begun, float(np.mean(losses)), dataset.num_samples])
        if time.monotonic() - published > PUBLISH_SECONDS:
            client.set_model("surrogate", onnx_bytes(model), "ONNX", "CPU")
            versions, published = versions + 1, time.monotonic()
            print(f"epoch {epoch}: {dataset.num_samples} samples, loss {losses[-1]:.2e}", flush=True)
    client.set_model("surrogate", onnx_bytes(model), "ONNX", "CPU")
    client.put_tensor("trained", np.array([len(history)], np.int64))
    write(history, ended, versions + 1)


def write(history, ended, versions):
    Path("loss.svg").write_text(loss_over_time(history, ended["seconds"]), encoding="utf-8")
    found = {
        "epochs": len(history),
        "epochsWhileRunning": ended["epoch"],
        "samples": history[-1][2],
        "samplesAtFirst": history[0][2],
        "versions": versions,
        "firstLoss": history[0][1],
        "lossAtEndOfStream": history[max(0, ended["epoch"] - 1)][1],
        "lastLoss": history[-1][1],
    }
    Path("training.json.part").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    os.replace("training.json.part", "training.json")
    print(
        f"{found['epochs']} epochs, {ended['epoch']} of them while the cavities ran; {found['samples']} samples; "
        f"loss {found['firstLoss']:.1e} -> {found['lastLoss']:.1e}"
    )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    train()
