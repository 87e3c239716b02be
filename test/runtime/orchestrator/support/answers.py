"""Answers of a library itself, beside those of its model or script in the store."""

import json

import numpy as np


def facts(array):
    array = np.asarray(array)
    return {"dtype": str(array.dtype), "shape": array.shape, "values": array.ravel().tolist()}


class Answers:
    """Puts inputs into a store, takes outputs from it, and keeps both answers by name and output."""

    def __init__(self, client):
        self.client = client
        self.by_name = {}

    def ask(self, name, inputs, wanted, run):
        """`inputs`: arrays; `wanted`: array by output; `run`: takes the keys of both."""
        keys = [f"{name}.input{index}" for index in range(len(inputs))]
        outputs = [f"{name}.{output}" for output in wanted]
        for key, value in zip(keys, inputs):
            self.client.put_tensor(key, np.ascontiguousarray(value))
        run(keys, outputs)
        self.by_name[name] = {
            output: {"wanted": facts(value), "got": facts(self.client.get_tensor(key))}
            for key, (output, value) in zip(outputs, wanted.items())
        }

    def ask_model(self, name, inputs, wanted):
        self.ask(name, inputs, wanted, lambda keys, outputs: self.client.run_model(name, inputs=keys, outputs=outputs))

    def print(self, **more):
        print(json.dumps({**self.by_name, **more}))


def refusal(call):
    """The text of the error that a call raises."""
    try:
        call()
    except Exception as error:
        return str(error)
    raise SystemExit(f"no error: {call}")
