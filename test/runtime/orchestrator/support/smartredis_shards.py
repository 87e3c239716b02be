"""One of several clients of a cluster: puts and gets what SmartRedis knows, and checks that it is what it was. Argument: an ONNX model."""

import sys

import numpy as np
from smartredis import Client, Dataset

client = Client(None)
types = ["float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16"]
names = ["a", "b", "c", "d", "{x}.e", "{}f", "g}h{i}"]
client.set_model_from_file("model", sys.argv[1], "ONNX", "CPU")
for index, name in enumerate(names):
    for dtype in types:
        value = np.arange(6).reshape(2, 3).astype(dtype) + index
        client.put_tensor(name + dtype, value)
    for dtype in types:
        value = np.arange(6).reshape(2, 3).astype(dtype) + index
        got = client.get_tensor(name + dtype)
        assert got.dtype == value.dtype and (got == value).all(), (name, dtype)
    client.put_tensor(name, np.array([[1, 2 + index]], dtype=np.float32))
    client.run_model("model", inputs=[name], outputs=["twice" + name])
    assert (client.get_tensor("twice" + name) == [[2, 4 + 2 * index]]).all(), name
    dataset = Dataset("set" + str(index))
    dataset.add_tensor("x", np.array([1.5, index]))
    dataset.add_meta_scalar("time", 2.5)
    client.put_dataset(dataset)
    client.append_to_list("list", dataset)
assert client.get_list_length("list") == len(names)
sets = client.get_datasets_from_list("list")
assert [float(one.get_tensor("x")[1]) for one in sets] == list(range(len(names)))
client.rename_tensor("afloat32", "moved")
assert not client.tensor_exists("afloat32") and client.tensor_exists("moved")
client.delete_list("list")
print("all as it was put")
