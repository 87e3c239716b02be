"""Runs functions of scripts by PyTorch: reads cases as JSON from stdin, writes their results as JSON to stdout."""

import base64
import json
import sys
from typing import Any, Dict, List

import numpy
import torch

NUMPY = {
    "FLOAT": "<f4",
    "DOUBLE": "<f8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "u1",
    "BOOL": "?",
}
NAMES = {numpy.dtype(code): name for name, code in NUMPY.items()}


def flat(value: Any) -> List[Any]:
    """Members of tuples and lists, however deep."""
    if isinstance(value, (tuple, list)):
        return [member for item in value for member in flat(item)]
    return [value]


def result_of(case: Dict[str, Any]) -> Dict[str, Any]:
    """Outputs of one case, or its error."""
    inputs = []
    for given in case["inputs"]:
        data = numpy.frombuffer(base64.b64decode(given["data"]), NUMPY[given["dtype"]])
        inputs.append(torch.from_numpy(data.reshape(given["shape"]).copy()))
    try:
        function = torch.jit.CompilationUnit(case["source"] + "\n").find_function(case["function"])
    except Exception as error:  # noqa: BLE001
        return {"error": str(error), "at": "set"}
    try:
        with torch.no_grad():
            values = flat(function(*inputs))
        outputs = []
        for value in values:
            if not isinstance(value, torch.Tensor):
                return {"error": "no tensor", "at": "run"}
            array = value.detach().contiguous().numpy()
            outputs.append({"dtype": NAMES[array.dtype], "shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()})
        return {"outputs": outputs}
    except Exception as error:  # noqa: BLE001
        return {"error": str(error), "at": "run"}


torch.set_num_threads(1)
print(json.dumps([result_of(case) for case in json.load(sys.stdin)]))
