"""One member of the ensemble: computes the flow of its cavity.in and keeps the store up to date.

Puts the tensor velocity [1, 48, 48, 2] each L/U and has the store compute its energy and enstrophy from it; at the end
the data set result: reynolds, lid, steps, scheme, stations, u, v, and history [k, 3] (time, energy, enstrophy).
Exit codes: 0, 1 (failed), 2 (a mistake in cavity.in), 143 (SIGTERM).
"""

import os
import signal
import sys

import numpy as np
from smartredis import Client, Dataset

from lattice import Cavity, centre_lines

KEYS = {"reynolds": float, "lid": float, "grid": int, "end_time": float, "steady_change": float}


def read_input(file):
    values = {}
    with open(file, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            text = line.split("#")[0].strip()
            if not text:
                continue
            key, _, value = (part.strip() for part in text.partition("="))
            if key not in KEYS or key in values:
                raise ValueError(f"{file}:{number}: '{key}' is unknown or given twice; known: {', '.join(KEYS)}")
            try:
                values[key] = KEYS[key](value)
            except ValueError:
                raise ValueError(f"{file}:{number}: {key} = '{value}' is not a number") from None
    missing = [key for key in KEYS if key not in values]
    if missing:
        raise ValueError(f"{file}: missing: {', '.join(missing)}")
    return values


def own_key(tensor):
    """What is read gets the data source's prefix; without a source, the key is literal."""
    name = os.environ.get("SSKEYOUT", "")
    return tensor if os.environ.get("SSKEYIN") or not name else f"{name}.{tensor}"


def solve(reynolds, lid, grid, end_time, steady_change):
    client = Client(None, logger_name="solver")
    cavity = Cavity(grid, lid, reynolds)
    velocity, history, change = cavity.velocity(), [], np.inf
    while cavity.time < end_time - lid / grid and change >= steady_change:
        before = velocity
        cavity.advance(round((len(history) + 1) * grid / lid) - cavity.steps)
        velocity = cavity.velocity()
        change = np.linalg.norm(velocity - before) / np.linalg.norm(velocity)
        client.put_tensor("velocity", velocity.astype(np.float32)[np.newaxis])
        client.run_model("diagnostics", [own_key("velocity")], ["diagnostics"])
        energy, enstrophy = client.get_tensor(own_key("diagnostics"))[0]
        history.append([cavity.time, energy, enstrophy])
        if len(history) % 5 == 0:
            print(f"t = {cavity.time:.1f} L/U  change {change:.2e}  energy {energy:.5f} U^2", flush=True)

    stations, u, v = centre_lines(velocity)
    result = Dataset("result")
    result.add_meta_scalar("reynolds", np.float64(reynolds))
    result.add_meta_scalar("lid", np.float64(lid))
    result.add_meta_scalar("steps", np.int64(cavity.steps))
    result.add_meta_string("scheme", "D2Q9 TRT 3/16")
    for name, data in {"stations": stations, "u": u, "v": v, "history": np.array(history)}.items():
        result.add_tensor(name, data)
    client.put_dataset(result)
    print(f"ended at t = {cavity.time:.1f} L/U after {cavity.steps} steps")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        parameters = read_input("cavity.in")
    except (OSError, ValueError) as error:
        print(f"solver: {error}", file=sys.stderr)
        sys.exit(2)
    solve(**parameters)
