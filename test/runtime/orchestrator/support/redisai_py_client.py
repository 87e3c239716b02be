"""Uses a store through redisai-py with its defaults. Arguments: port, model that takes long."""

import sys

import numpy
import redisai

port, model = int(sys.argv[1]), sys.argv[2]
client = redisai.Client(port=port)
assert client.ping() is True
client.flushall()
with open(model, "rb") as file:
    assert client.modelstore("slow", "onnx", "cpu", file.read(), tag="v1") == "OK"
assert client.tensorset("x", numpy.ones((256, 256), dtype=numpy.float32)) == "OK"
assert client.tensorset("rounds", [4000], dtype="int64") == "OK"
assert client.modelexecute("slow", ["rounds", "x"], ["y"]) == "OK"
assert client.tensorget("y").shape == (256, 256)
assert client.modelexecute("slow", ["rounds", "x"], ["y"], timeout=100000) == "OK"
assert client.modelget("slow", meta_only=True)["tag"] == "v1"
dag = client.dag(load=["x"], persist=["z"])
dag.tensorset("z", [1, 2, 3], dtype="int8").tensorget("z").tensorget("x", meta_only=True)
answers = dag.execute()
assert answers[0] == "OK" and list(answers[1]) == [1, 2, 3], answers
assert client.infoget("slow")["calls"] == 2
assert client.modeldel("slow") == "OK"
print("used")
