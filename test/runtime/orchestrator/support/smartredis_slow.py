"""Runs a model that takes longer than the client's timeout, then stores it again; argument: the model."""

import sys

from smartredis import Client

client = Client(None)
client.run_model("slow", inputs=["rounds", "x"], outputs=["y"])
if not client.tensor_exists("y"):
    raise SystemExit("no output")
client.set_model_from_file("again", sys.argv[1], "ONNX", "CPU")
print("ran")
