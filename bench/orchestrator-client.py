"""Rates of put_tensor and get_model with the unmodified smartredis client, on two servers in turn.

Arguments: bytes of a tensor, calls of a block, blocks, the address of each server. Prints {"puts", "gets"}: a pair of calls a second for
every block. Blocks are short, so that a machine whose speed changes shows the same to both.
"""

import json
import os
import sys
import time

import numpy as np
from smartredis import Client

size, calls, blocks = (int(word) for word in sys.argv[1:4])
array = np.arange(size // 8, dtype=np.float64)


def connect(address):
    os.environ["SSDB"] = address
    return Client(None)


def rate(call):
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return calls / (time.perf_counter() - start)


def pairs(calls_of):
    for call in calls_of:
        call()
    return [[rate(call) for call in calls_of] for _ in range(blocks)]


clients = [connect(address) for address in sys.argv[4:]]
puts = pairs([lambda client=client: client.put_tensor("bench", array) for client in clients])
gets = pairs([lambda client=client: client.get_model("model") for client in clients])
print(json.dumps({"puts": puts, "gets": gets}))
