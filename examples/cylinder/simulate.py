"""The simulation: computes the flow of cylinder.in and puts its fields into the store as they come.

The data set setup holds the cylinder's mask and what the run will be; each field is a data set field_N, and the list
fields names them in order. `--analyse` starts analyse.py beside it, for a store that is this program's alone.
Exit codes: 0, 1 (failed, itself or the analysis), 2 (a mistake in cylinder.in), 143 (SIGTERM).
"""

import signal
import subprocess
import sys

import numpy as np
from smartredis import Client, Dataset

from flow import CENTRE, Cylinder
from read_input import read_input


def put(client, name, tensors, scalars):
    dataset = Dataset(name)
    for key, value in tensors.items():
        dataset.add_tensor(key, value)
    for key, value in scalars.items():
        dataset.add_meta_scalar(key, np.float64(value))
    client.put_dataset(dataset)
    return dataset


def simulate(reynolds, cells, speed, end_time, interval):
    client = Client(None, logger_name="simulation")
    flow = Cylinder(cells, speed, reynolds)
    count = round(end_time / interval)
    scalars = {"reynolds": reynolds, "cells": cells, "fields": count, "x": CENTRE[0], "y": CENTRE[1]}
    put(client, "setup", {"cylinder": flow.mask()}, scalars)
    for number in range(1, count + 1):
        drag, lift = flow.advance(round(number * interval * cells / speed) - flow.steps)
        if not np.isfinite(drag):
            raise ArithmeticError(f"the flow has become unstable before t = {flow.time:.1f} D/U: take more cells")
        u, v = flow.velocity()
        field = put(client, f"field_{number}", {"u": u, "v": v}, {"time": flow.time, "drag": drag, "lift": lift})
        client.append_to_list("fields", field)
        if number % 20 == 0:
            print(f"t = {flow.time:.1f} D/U  drag {drag:.3f}  lift {lift:+.3f}", flush=True)
    print(f"ended after {flow.steps} steps on {flow.nx} x {flow.ny} cells")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        parameters = read_input("cylinder.in")
    except (OSError, ValueError) as error:
        print(f"simulation: {error}", file=sys.stderr)
        sys.exit(2)
    analysis = subprocess.Popen([sys.executable, "analyse.py"]) if sys.argv[1:] == ["--analyse"] else None
    try:
        simulate(**parameters)
    except BaseException as error:
        if analysis is not None:
            analysis.terminate()
        if isinstance(error, ArithmeticError):
            sys.exit(f"simulation: {error}")
        raise
    sys.exit(1 if analysis is not None and analysis.wait() != 0 else 0)
