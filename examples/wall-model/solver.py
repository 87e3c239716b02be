"""The solver: turbulent channels whose walls a model in the store answers for, until they are steady.

Each step puts the flow at the walls into the store, has the script `wall` make the model's input of it, the model `wall-model`
answer, and the script make a stress of the answer; only the stress comes back. Holds the friction Reynolds numbers against
direct simulations, and the store's last answer against the law that the model has learnt; writes channels.json, prints a
table, and exits 1 when something is off.
"""

import argparse
import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
from smartredis import Client

from channel import Channels
from law import distance

TOLERANCE = 0.03  # relative, of the friction Reynolds number beside direct simulation
MODEL_TOLERANCE = 0.001  # relative, of the friction velocity beside the law
STEADY = 1e-6  # U a step
STEPS = 1000


def published():
    """Reynolds numbers and friction Reynolds numbers of the table."""
    with open("lee-moser-2015.csv", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return [(float(row["reynolds"]), float(row["friction_reynolds"])) for row in rows]


def ask_store(client, flow):
    """Stress on the walls in U^2 and friction velocity in U, [walls, 1] each."""
    keys = ["speed", "distance", "viscosity"]
    for key, value in zip(keys, flow):
        client.put_tensor(key, value)
    client.run_script("wall", "features", keys, ["features"])
    client.run_model("wall-model", inputs=["features"], outputs=["answer"])
    client.run_script("wall", "stress", ["answer", *keys], ["stress", "friction"])
    return client.get_tensor("stress"), client.get_tensor("friction")


def solve(client, channels):
    """Advances the channels until they are steady. Returns the steps, and the last answer beside the law's, at worst."""
    for step in range(1, STEPS + 1):
        flow = channels.at_walls()
        stress, friction = ask_store(client, flow)
        if channels.advance(stress) < STEADY:
            speed, height, viscosity = flow
            law = [distance(value) for value in (speed * height / viscosity).flatten()] * (viscosity / height).flatten()
            return step, float(np.max(np.abs(friction.flatten() / law - 1)))
    raise ArithmeticError(f"the channels are not steady after {STEPS} steps")


def main():
    words = argparse.ArgumentParser(description="Turbulent channels with a wall model.")
    words.add_argument("--cells", type=int, required=True, help="cells from wall to wall")
    table = published()
    channels = Channels([reynolds for reynolds, _ in table], words.parse_args().cells)
    try:
        steps, off_law = solve(Client(None, logger_name="channels"), channels)
    except ArithmeticError as error:
        print(f"channels: {error}", file=sys.stderr)
        return 1
    rows = []
    for (reynolds, direct), gradient in zip(table, channels.gradient):
        # In a steady channel the pressure gradient carries the stress of the walls.
        friction = float(np.sqrt(gradient)) * reynolds
        off = friction / direct - 1
        rows.append({"reynolds": reynolds, "friction": friction, "direct": direct, "off": off, "ok": abs(off) <= TOLERANCE})
    passed = all(row["ok"] for row in rows) and off_law <= MODEL_TOLERANCE
    found = {"steps": steps, "modelOffLaw": off_law, "channels": rows, "passed": passed}
    Path("channels.json.part").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    os.replace("channels.json.part", "channels.json")
    print("      Re   Re_tau   direct     off  verdict")
    for row in rows:
        verdict = "ok" if row["ok"] else "off"
        print(f"{row['reynolds']:8.0f}{row['friction']:9.1f}{row['direct']:9.1f}{row['off']:+8.1%}  {verdict}")
    print(f"steady after {steps} steps; the model in the store is at most {off_law:.1e} off the law of the wall")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
