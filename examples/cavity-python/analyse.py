"""Judges the ensemble: centre lines against the table of Ghia, Ghia and Shin, and the store's diagnostics against numpy.

SSKEYIN lists the members. Prints a table, writes cavity.json, and exits 1 when something is off, naming it.
"""

import json
import os
import sys

import numpy as np
from smartredis import Client
from smartredis.error import RedisReplyError

TABLE_TOLERANCE = 0.02  # U
DIAGNOSTICS_TOLERANCE = 1e-5  # relative


def read_ghia(file="ghia1982.csv"):
    """(reynolds, line) -> [(station, value)]; values with a question mark are misprints and left out."""
    with open(file, encoding="utf-8") as lines:
        rows = [line.strip().split(",") for line in lines if line.strip() and not line.startswith("#")]
    table = {}
    for line, station, *values in rows[1:]:
        for column, value in zip(rows[0][2:], values):
            if not value.startswith("?"):
                table.setdefault((float(column[2:]), line), []).append((float(station), float(value)))
    return table


def interpolate(stations, values, s):
    """The cubic through the four points nearest to s."""
    above = int(np.clip(np.searchsorted(stations, s), 2, len(stations) - 2))
    x, y = stations[above - 2 : above + 2], values[above - 2 : above + 2]
    weights = [np.prod([(s - x[j]) / (x[i] - x[j]) for j in range(4) if j != i]) for i in range(4)]
    return float(np.dot(weights, y))


def diagnostics(velocity):
    """Mean kinetic energy and mean enstrophy, as the model in the store computes them."""
    field = velocity.astype(np.float64)
    half_cells = len(field) / 2
    curl = (field[1:-1, 2:, 1] - field[1:-1, :-2, 1] - field[2:, 1:-1, 0] + field[:-2, 1:-1, 0]) * half_cells
    return np.array([0.5 * np.mean(np.sum(field**2, axis=-1)), 0.5 * np.mean(curl**2)])


def judge(client, name, table):
    client.set_data_source(name)
    result = client.get_dataset("result")
    reynolds = float(result.get_meta_scalars("reynolds")[0])
    stations, failures, deviations = result.get_tensor("stations"), [], {}
    for line in ("u", "v"):
        values = result.get_tensor(line)
        off = [(abs(interpolate(stations, values, s) - value), s) for s, value in table[reynolds, line]]
        deviations[line] = max(off)[0]
        failures += [f"{line} at {s} is {d:.4f} U off the table" for d, s in off if not d <= TABLE_TOLERANCE]
    expected = diagnostics(client.get_tensor("velocity")[0])
    answered = client.get_tensor("diagnostics")[0]
    relative = float(np.max(np.abs(answered / expected - 1)))
    if not relative <= DIAGNOSTICS_TOLERANCE:
        failures.append(f"the store's diagnostics {answered} are {relative:.1e} off numpy's {expected}")
    steps = int(result.get_meta_scalars("steps")[0])
    numbers = {"name": name, "reynolds": reynolds, "lid": float(result.get_meta_scalars("lid")[0]), "steps": steps}
    return {**numbers, "offTable": deviations, "offNumpy": relative, "failures": failures}


def main():
    names = [name for name in os.environ.get("SSKEYIN", "").split(",") if name]
    if not names:
        print("analyse: SSKEYIN names no member", file=sys.stderr)
        return 2
    client, table = Client(None, logger_name="analysis"), read_ghia()
    members = []
    for name in names:
        try:
            members.append(judge(client, name, table))
        except RedisReplyError as error:
            print(f"analyse: the result of '{name}' cannot be read: {error}", file=sys.stderr)
            return 1
    print("member        Re     U   steps  |u-Ghia|  |v-Ghia|  store/numpy-1  verdict")
    for m in members:
        off = m["offTable"]
        verdict = f"off at {len(m['failures'])}" if m["failures"] else "ok"
        columns = f"{m['name']:10s}{m['reynolds']:6.0f}{m['lid']:6.2f}{m['steps']:8d}{off['u']:10.4f}{off['v']:10.4f}"
        print(f"{columns}{m['offNumpy']:15.1e}  {verdict}")
    with open("cavity.json.part", "w", encoding="utf-8") as file:
        json.dump({"members": members}, file, indent=1)
        file.write("\n")
    os.replace("cavity.json.part", "cavity.json")
    for m in members:
        for failure in m["failures"]:
            print(f"analyse: {m['name']}: {failure}", file=sys.stderr)
    return 1 if any(m["failures"] for m in members) else 0


if __name__ == "__main__":
    sys.exit(main())
