"""The analysis: takes the fields out of the store as they come, draws the wake, and times its vortices.

SSKEYIN names the simulation. Writes frames/wake_N.png, wake.png (the last of them) and cylinder.json, prints what it
found, and exits 1 when the Strouhal number is off the published one, or when the simulation stays silent.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
from smartredis import Client

from picture import draw, vorticity

POLL_MS, POLLS = 20, 6000  # two minutes without a field: the simulation has gone
DRAW_EVERY = 4  # fields
PROBE = 3  # diameters behind the cylinder's centre, where the velocity across tells the vortices
SETTLED = 40  # D/U from the start; what comes before is the wake's growth
TOLERANCE = 0.03  # relative


def published_strouhal(reynolds):
    """Williamson, Phys. Fluids 31 (1988) 2742: parallel shedding, Reynolds numbers 49 to 178."""
    return -3.3265 / reynolds + 0.1816 + 1.6e-4 * reynolds


def strouhal(times, across):
    """Frequency of the sign's changes from below, each placed by a straight line, in U/D."""
    before = np.nonzero((across[:-1] < 0) & (across[1:] >= 0))[0]
    if len(before) < 3:
        return float("nan")
    step = (times[before + 1] - times[before]) / (across[before + 1] - across[before])
    crossings = times[before] - across[before] * step
    return float((len(crossings) - 1) / (crossings[-1] - crossings[0]))


def fields(client, count):
    """Yields the data sets in order, each as soon as it is there, and whether the simulation was still at work."""
    seen = 0
    while seen < count:
        if not client.poll_list_length_gte("fields", seen + 1, POLL_MS, POLLS):
            raise TimeoutError(f"field {seen + 1} of {count} has not come")
        there = client.get_list_length("fields")
        for dataset in client.get_dataset_list_range("fields", seen, there - 1):
            yield dataset, there < count
        seen = there


def scalar(dataset, name):
    return float(dataset.get_meta_scalars(name)[0])


def analyse(client):
    if not client.poll_dataset("setup", POLL_MS, POLLS):
        raise TimeoutError("the simulation has not begun")
    setup = client.get_dataset("setup")
    reynolds, count, centre = scalar(setup, "reynolds"), int(scalar(setup, "fields")), (scalar(setup, "x"), scalar(setup, "y"))
    cells, cylinder = int(scalar(setup, "cells")), setup.get_tensor("cylinder")
    Path("frames").mkdir(exist_ok=True)
    probe = (int(centre[1] * cells), int((centre[0] + PROBE) * cells))
    rows, online, picture = [], 0, b""
    for number, (field, is_running) in enumerate(fields(client, count), 1):
        u, v = field.get_tensor("u"), field.get_tensor("v")
        if np.any(u[cylinder == 1]) or not np.all(np.isfinite(u)):
            raise ValueError(f"field {number} is no flow around the cylinder")
        rows.append([scalar(field, "time"), v[probe], scalar(field, "drag"), scalar(field, "lift")])
        online += is_running
        if number % DRAW_EVERY == 0:
            picture = draw(vorticity(u, v, cells), cells, centre)
            Path(f"frames/wake_{number:04d}.png").write_bytes(picture)
    Path("wake.png").write_bytes(picture)
    times, across, drag, lift = np.array([row for row in rows if row[0] >= SETTLED]).reshape(-1, 4).T
    return {
        "reynolds": reynolds,
        "cells": cells,
        "fields": count,
        "readWhileRunning": online,
        "frames": count // DRAW_EVERY,
        "strouhal": strouhal(times, across),
        "published": published_strouhal(reynolds),
        "drag": float(drag.mean()),
        "lift": float(np.abs(lift).max()),
    }


def main():
    source = os.environ.get("SSKEYIN", "")
    if not source:
        print("analysis: SSKEYIN names no simulation", file=sys.stderr)
        return 2
    client = Client(None, logger_name="analysis")
    client.set_data_source(source)
    client.use_list_ensemble_prefix(True)
    try:
        found = analyse(client)
    except (TimeoutError, ValueError) as error:
        print(f"analysis: {error}", file=sys.stderr)
        return 1
    off = found["strouhal"] / found["published"] - 1
    is_ok = bool(abs(off) <= TOLERANCE)
    Path("cylinder.json.part").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    os.replace("cylinder.json.part", "cylinder.json")
    print("   Re  cells  fields  while running  frames  Strouhal  published     off   drag   lift  verdict")
    print(
        f"{found['reynolds']:5.0f}{found['cells']:7d}{found['fields']:8d}{found['readWhileRunning']:15d}{found['frames']:8d}"
        f"{found['strouhal']:10.4f}{found['published']:11.4f}{off:8.1%}{found['drag']:7.2f}{found['lift']:7.2f}"
        f"  {'ok' if is_ok else 'off'}"
    )
    return 0 if is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
