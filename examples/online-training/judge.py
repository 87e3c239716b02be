"""The member that is held out: computes a cavity that the network has not seen, and asks the network for it.

It does so from the network's first version on, while the cavities still run, and again when the training has ended. Writes
surrogate.json, prints the errors, and exits with 1 if the last is too large.
"""

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
from simwright import run
from simwright.ml import DataInfo, TrainingDownloader
from smartredis import Client

from cavity import INTERVAL, Cavity

POLL_MS, POLLS = 50, 6000  # five minutes: the trainer has gone
TOLERANCE = 0.05  # relative error of the velocity


def predict(client, reynolds, times):
    """Velocities at these times, [time, component, y, x], by the network in the store."""
    queries = np.stack([np.full(len(times), np.log10(reynolds)), times], 1).astype(np.float32)
    client.put_tensor("query", queries)
    client.run_model("surrogate", ["query"], ["answer"])
    return client.get_tensor("answer")


def error_of(predicted, fields):
    """The length of the difference over that of the fields."""
    return float(np.linalg.norm(predicted - fields) / np.linalg.norm(fields))


def judge():
    reynolds = run.param("REYNOLDS", float)
    client = Client(None, logger_name="held-out")
    client.use_tensor_ensemble_prefix(False)
    stream = TrainingDownloader(DataInfo("flow"), init_samples=False)
    cavity, times, fields, online = Cavity(run.param("CELLS", int), reynolds), [], [], []
    for number in range(1, round(run.param("END_TIME", float) / INTERVAL) + 1):
        cavity.advance_to(number * INTERVAL)
        times.append(cavity.time)
        fields.append(cavity.field())
        if stream.published_end() is None and client.model_exists("surrogate"):
            error = error_of(predict(client, reynolds, times), np.array(fields))
            online.append([cavity.time, error])
            if len(online) % 10 == 1:
                print(f"t = {cavity.time:.1f} L/U: the network is {error:.1%} off so far", flush=True)
    while stream.published_end() is None:
        client.poll_tensor("trained", POLL_MS, 1)
        if client.model_exists("surrogate"):
            online.append([cavity.time, error_of(predict(client, reynolds, times), np.array(fields))])
    if not client.poll_tensor("trained", POLL_MS, POLLS):
        raise TimeoutError("the training has not ended")
    return {
        "reynolds": reynolds,
        "fields": len(fields),
        "usedWhileRunning": len(online),
        "firstError": online[0][1] if online else None,
        "lastErrorWhileRunning": online[-1][1] if online else None,
        "error": error_of(predict(client, reynolds, times), np.array(fields)),
        "tolerance": TOLERANCE,
    }


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        found = judge()
    except TimeoutError as error:
        sys.exit(f"held-out: {error}")
    is_ok = found["usedWhileRunning"] > 0 and found["error"] <= TOLERANCE
    Path("surrogate.json.part").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    os.replace("surrogate.json.part", "surrogate.json")
    first = "never" if found["firstError"] is None else f"{found['firstError']:.1%}"
    print("   Re  fields  used while running  first error  error  verdict")
    print(
        f"{found['reynolds']:5.0f}{found['fields']:8d}{found['usedWhileRunning']:20d}{first:>13}{found['error']:7.1%}"
        f"  {'ok' if is_ok else 'off'}"
    )
    sys.exit(0 if is_ok else 1)
