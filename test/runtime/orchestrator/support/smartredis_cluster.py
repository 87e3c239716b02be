"""What the client of this repository does too, for a comparison of what is sent. Argument: an ONNX model."""

import sys

import numpy as np
from smartredis import Client, Dataset

client = Client(None)
client.put_tensor("a", np.array([[1, 2]], dtype=np.float32))
client.put_tensor("b", np.array([3, 4], dtype=np.int64))
client.rename_tensor("b", "c")
client.copy_tensor("a", "d")
client.delete_tensor("d")
dataset = Dataset("ds")
dataset.add_tensor("x", np.array([1.5, 2.5]))
dataset.add_meta_scalar("time", 2.5)
client.put_dataset(dataset)
client.append_to_list("l", dataset)
client.copy_dataset("ds", "ds2")
client.rename_dataset("ds2", "ds3")
client.dataset_exists("ds3")
client.delete_dataset("ds3")
client.get_dataset("ds")
client.copy_list("l", "m")
client.rename_list("m", "n")
client.get_list_length("n")
client.get_datasets_from_list("n")
client.delete_list("n")
client.set_model_from_file("m", sys.argv[1], "ONNX", "CPU", tag="v1", batch_size=4)
client.model_exists("m")
client.run_model("m", inputs=["a"], outputs=["y"])
client.get_model("m")
client.delete_model("m")
client.set_script("s", "def f(x):\n    return x\n", "CPU")
client.get_script("s")
client.delete_script("s")
