"""A client of a cluster whose servers die meanwhile: puts, reads and runs without a pause, then checks all keys. Arguments: an ONNX model, a folder for signs."""

import os
import sys
import time

import numpy as np
from smartredis import Client

model, folder = sys.argv[1:]
client = Client(None)
client.set_model_from_file("model", model, "ONNX", "CPU")
acknowledged: "list[float]" = []
longest, at_longest = 0.0, 0.0
while not os.path.exists(os.path.join(folder, "stop")):
    index = len(acknowledged)
    before = time.monotonic()
    value = np.array([[index, index + 0.5]], dtype=np.float32)
    client.put_tensor("key" + str(index), value)
    acknowledged.append(time.monotonic())
    if index % 20 == 0:
        client.run_model("model", inputs=["key" + str(index)], outputs=["twice"])
        assert (client.get_tensor("twice") == 2 * value).all(), index
    took = time.monotonic() - before
    if took > longest:
        longest, at_longest = took, before
    with open(os.path.join(folder, "count.new"), "w") as file:
        file.write(str(index))
    # It is read meanwhile.
    os.replace(file.name, os.path.join(folder, "count"))
lost = []
for index, acknowledged_at in enumerate(acknowledged):
    if not client.tensor_exists("key" + str(index)):
        lost.append(acknowledged_at)
    else:
        assert client.get_tensor("key" + str(index))[0, 0] == index, index
# A replica has what its server has said yes to but a moment ago.
assert all(at > at_longest - 0.5 for at in lost), lost
print(f"{len(acknowledged)} keys, {len(lost)} lost, longest call {longest:.1f} s")
