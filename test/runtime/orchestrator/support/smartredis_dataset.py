"""Prints the data set `ours`, stores `theirs`, and appends it to the list `l`."""

import json

import numpy as np
from smartredis import Client, Dataset

client = Client(None)
ours = client.get_dataset("ours")
print(
    json.dumps(
        {
            "field": ours.get_tensor("field").tolist(),
            "index": ours.get_tensor("index").tolist(),
            "time": [float(value) for value in ours.get_meta_scalars("time")],
            "step": [int(value) for value in ours.get_meta_scalars("step")],
            "count": [int(value) for value in ours.get_meta_scalars("count")],
            "name": list(ours.get_meta_strings("name")),
        }
    )
)
theirs = Dataset("theirs")
theirs.add_tensor("t", np.array([1, -1], dtype=np.int16))
theirs.add_meta_scalar("double", 1.5)
theirs.add_meta_scalar("double", -1.5)
theirs.add_meta_scalar("int", -3)
theirs.add_meta_string("text", "a")
theirs.add_meta_string("text", "ß")
client.put_dataset(theirs)
client.append_to_list("l", theirs)
