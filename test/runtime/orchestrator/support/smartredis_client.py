"""Drives a store through the unmodified smartredis package; argument: an ONNX model that doubles [n, 2] floats."""

import json
import sys

import numpy as np
from smartredis import Client, Dataset
from smartredis.error import RedisReplyError

client = Client(None)
done = []


def check(name, condition):
    if not condition:
        raise SystemExit(f"failed: {name}")
    done.append(name)


def refused(name, call):
    try:
        call()
    except RedisReplyError:
        done.append(name)
    else:
        raise SystemExit(f"no error: {name}")


for dtype in [np.float32, np.float64, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16]:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    client.put_tensor("t", array)
    back = client.get_tensor("t")
    check(f"tensor {np.dtype(dtype).name}", back.dtype == array.dtype and np.array_equal(back, array))

large = np.random.default_rng(1).random((1024, 1024, 4))
client.put_tensor("large", large)
check("32 MiB tensor", np.array_equal(client.get_tensor("large"), large))

client.copy_tensor("t", "copy")
client.rename_tensor("copy", "renamed")
check("copy and rename", client.tensor_exists("renamed") and not client.tensor_exists("copy"))
client.rename_tensor("renamed", "renamed")
client.delete_tensor("renamed")
client.delete_tensor("renamed")
check("delete", not client.key_exists("renamed"))
check("poll", client.poll_tensor("t", 1, 2) and not client.poll_tensor("missing", 1, 2) and client.poll_key("t", 1, 1))
refused("missing tensor", lambda: client.get_tensor("missing"))
refused("rename of a missing tensor", lambda: client.rename_tensor("missing", "x"))

dataset = Dataset("d")
dataset.add_tensor("field", np.arange(6.0).reshape(2, 3))
dataset.add_tensor("index", np.arange(3, dtype=np.int32))
dataset.add_meta_scalar("time", 2.5)
dataset.add_meta_scalar("step", 7)
dataset.add_meta_string("name", "cavity")
client.put_dataset(dataset)
back = client.get_dataset("d")
check("dataset tensors", np.array_equal(back.get_tensor("field"), np.arange(6.0).reshape(2, 3)))
check("dataset metadata", back.get_meta_scalars("time")[0] == 2.5 and back.get_meta_strings("name") == ["cavity"])
client.copy_dataset("d", "e")
client.rename_dataset("e", "f")
check("dataset copy and rename", client.dataset_exists("f") and not client.dataset_exists("e"))
check("dataset poll", client.poll_dataset("f", 1, 2) and not client.poll_dataset("e", 1, 2))
client.delete_dataset("f")
check("dataset delete", not client.dataset_exists("f"))

client.append_to_list("l", dataset)
client.append_to_list("l", dataset)
check("list length", client.get_list_length("l") == 2 and client.poll_list_length("l", 2, 1, 1))
check("list datasets", [each.get_meta_scalars("step")[0] for each in client.get_datasets_from_list("l")] == [7, 7])
check("list range", len(client.get_dataset_list_range("l", 0, 0)) == 1)
client.copy_list("l", "m")
client.rename_list("m", "n")
check("list copy and rename", client.get_list_length("n") == 2 and client.get_list_length("m") == 0)
client.delete_list("n")
check("list delete", client.get_list_length("n") == 0)

with open(sys.argv[1], "rb") as file:
    model = file.read()
client.set_model("doubler", model, "ONNX", "CPU", batch_size=2, min_batch_size=1, tag="v1")
client.set_model_from_file("from_file", sys.argv[1], "ONNX", "CPU")
check("model exists", client.model_exists("doubler") and client.poll_model("from_file", 1, 1))
check("model bytes", client.get_model("doubler") == model)
client.put_tensor("x", np.array([[1, 2], [3, 4]], dtype=np.float32))
client.run_model("doubler", inputs=["x"], outputs=["y"])
check("model run", np.array_equal(client.get_tensor("y"), np.array([[2, 4], [6, 8]], dtype=np.float32)))
refused("missing model", lambda: client.run_model("missing", inputs=["x"], outputs=["y"]))
refused("model that is none", lambda: client.set_model("bad", b"not a model", "ONNX", "CPU"))
refused("wrong input", lambda: client.run_model("doubler", inputs=["t"], outputs=["y"]))
info = client.get_ai_info([sys.argv[2]], "doubler")[0]
check("model information", info["backend"] == "ONNX")
client.delete_model("doubler")
check("model delete", not client.model_exists("doubler"))
client.set_model_chunk_size(1000)
check("node information", "Server" in client.get_db_node_info([sys.argv[2]])[0])
if sys.argv[3] == "Clustered":
    check("cluster information", client.get_db_cluster_info([sys.argv[2]])[0]["cluster_state"] == "ok")
client.flush_db([sys.argv[2]])
check("flush", not client.key_exists("t"))
print(json.dumps(done))
