"""Seconds of SmartSim's Experiment.generate. usage: runtime-smartsim.py FOLDER TEMPLATE MEMBERS"""

import os
import sys
import time

from smartsim import Experiment

folder, template, members = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.makedirs(folder)
experiment = Experiment("bench", exp_path=folder, launcher="local")
ensemble = experiment.create_ensemble(
    "sweep",
    params={"REYNOLDS": [str(100 + index) for index in range(members)], "LID": ["0.1"] * members},
    run_settings=experiment.create_run_settings("true"),
    perm_strategy="step",
)
ensemble.attach_generator_files(to_configure=[template])
start = time.perf_counter()
experiment.generate(ensemble)
seconds = time.perf_counter() - start
generated = len([name for name in os.listdir(os.path.join(folder, "sweep")) if name.startswith("sweep_")])
if generated != members:
    sys.exit(f"{generated} members instead of {members}")
print(seconds)
