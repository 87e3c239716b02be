"""Rates of put_tensor and get_model with the unmodified smartredis client; arguments: bytes of a tensor, calls."""

import json
import sys
import time

import numpy as np
from smartredis import Client

size, calls = int(sys.argv[1]), int(sys.argv[2])
client = Client(None)
array = np.arange(size // 8, dtype=np.float64)


def rate(call):
    call()
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return calls / (time.perf_counter() - start)


print(json.dumps([rate(lambda: client.put_tensor("bench", array)), rate(lambda: client.get_model("model"))]))
