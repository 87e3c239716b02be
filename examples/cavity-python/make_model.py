"""Writes diagnostics.onnx: the mean kinetic energy and mean enstrophy of a velocity field on 48 x 48 cells.

usage: python make_model.py [FILE]     needs onnx==1.17.0 and numpy==1.26.4

In: velocity [batch, 48, 48, 2] float32, [y][x][component], in units of U. Out: [batch, 2] float32, in U^2 and (U/L)^2.
The vorticity is a central difference, so the outermost cells are left out of the enstrophy.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CELLS = 48


def build():
    curl = np.zeros((1, 2, 3, 3), np.float32)
    curl[0, 1, 1, :] = np.array([-1, 0, 1]) * CELLS / 2  # dv/dx
    curl[0, 0, :, 1] = np.array([1, 0, -1]) * CELLS / 2  # -du/dy
    constants = {"curl": curl, "half": np.float32(0.5), "components": np.array([1], np.int64)}
    nodes = [
        helper.make_node("Transpose", ["velocity"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Mul", ["planes", "planes"], ["squares"]),
        helper.make_node("ReduceSum", ["squares", "components"], ["speed_squared"], keepdims=0),
        helper.make_node("ReduceMean", ["speed_squared"], ["mean_square"], axes=[1, 2], keepdims=0),
        helper.make_node("Conv", ["planes", "curl"], ["vorticity"]),
        helper.make_node("Mul", ["vorticity", "vorticity"], ["vorticity_squared"]),
        helper.make_node("ReduceMean", ["vorticity_squared"], ["mean_vorticity_square"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["mean_square", "components"], ["column_0"]),
        helper.make_node("Unsqueeze", ["mean_vorticity_square", "components"], ["column_1"]),
        helper.make_node("Concat", ["column_0", "column_1"], ["columns"], axis=1),
        helper.make_node("Mul", ["columns", "half"], ["diagnostics"]),
    ]
    graph = helper.make_graph(
        nodes,
        "cavity_diagnostics",
        [helper.make_tensor_value_info("velocity", TensorProto.FLOAT, ["batch", CELLS, CELLS, 2])],
        [helper.make_tensor_value_info("diagnostics", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="cavity-python")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    target = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent / "diagnostics.onnx"
    onnx.save(build(), target)
