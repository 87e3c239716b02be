"""Makes the ONNX models of these tests: `pip install onnx==1.23.2 numpy==1.26.4` and run in this folder."""

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def save(path, nodes, inputs, outputs, initializers=()):
    graph = helper.make_graph(nodes, path, inputs, outputs, list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


# y = 2 x
save("double.onnx", [helper.make_node("Add", ["x", "x"], ["y"])], [value("x", T.FLOAT, ["n", 2])], [value("y", T.FLOAT, ["n", 2])])

# sum and difference of two inputs
save(
    "sum-difference.onnx",
    [helper.make_node("Add", ["a", "b"], ["sum"]), helper.make_node("Sub", ["a", "b"], ["difference"])],
    [value("a", T.DOUBLE, ["n"]), value("b", T.DOUBLE, ["n"])],
    [value("sum", T.DOUBLE, ["n"]), value("difference", T.DOUBLE, ["n"])],
)

# every element type, unchanged
kinds = ["FLOAT", "DOUBLE", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "BOOL", "STRING"]
save(
    "identities.onnx",
    [helper.make_node("Identity", [f"in_{kind}"], [f"out_{kind}"]) for kind in kinds],
    [value(f"in_{kind}", getattr(T, kind), ["n"]) for kind in kinds],
    [value(f"out_{kind}", getattr(T, kind), ["n"]) for kind in kinds],
)

# a tensor, and a sequence, which is no tensor
save(
    "sequence.onnx",
    [helper.make_node("SequenceConstruct", ["x", "x"], ["pair"]), helper.make_node("Neg", ["x"], ["negative"])],
    [value("x", T.FLOAT, ["n"])],
    [helper.make_tensor_sequence_value_info("pair", T.FLOAT, ["n"]), value("negative", T.FLOAT, ["n"])],
)

# half precision comes out, which no tensor of the store can hold
save(
    "half.onnx",
    [helper.make_node("Cast", ["x"], ["y"], to=T.FLOAT16)],
    [value("x", T.FLOAT, ["n"])],
    [value("y", T.FLOAT16, ["n"])],
)

# as many rounds of x ← tanh(x x) on 256 × 256 as `rounds` says: as slow as wanted
body = helper.make_graph(
    [
        helper.make_node("MatMul", ["before", "before"], ["product"]),
        helper.make_node("Tanh", ["product"], ["after"]),
        helper.make_node("Identity", ["go"], ["go_on"]),
    ],
    "body",
    [value("round", T.INT64, []), value("go", T.BOOL, []), value("before", T.FLOAT, [256, 256])],
    [value("go_on", T.BOOL, []), value("after", T.FLOAT, [256, 256])],
)
save(
    "slow.onnx",
    [
        helper.make_node("Squeeze", ["rounds"], ["count"]),
        helper.make_node("Loop", ["count", "", "x"], ["y"], body=body),
    ],
    [value("rounds", T.INT64, [1]), value("x", T.FLOAT, [256, 256])],
    [value("y", T.FLOAT, [256, 256])],
)

# a 16-64-64-8 network with weights from sines, and its answer to inputs 0, 1/16, …
weights = {}
width = 16
for layer, size in enumerate([64, 64, 8]):
    weights[f"w{layer}"] = np.sin(np.arange(width * size, dtype=np.float64).reshape(width, size) * 0.7 + layer).astype(np.float32) / 4
    weights[f"b{layer}"] = np.cos(np.arange(size, dtype=np.float64) + layer).astype(np.float32) / 4
    width = size
nodes = []
name = "x"
for layer in range(3):
    nodes.append(helper.make_node("Gemm", [name, f"w{layer}", f"b{layer}"], [f"g{layer}"]))
    name = f"g{layer}"
    if layer < 2:
        nodes.append(helper.make_node("Tanh", [name], [f"t{layer}"]))
        name = f"t{layer}"
nodes.append(helper.make_node("Identity", [name], ["y"]))
save(
    "network.onnx",
    nodes,
    [value("x", T.FLOAT, ["n", 16])],
    [value("y", T.FLOAT, ["n", 8])],
    [numpy_helper.from_array(array, name) for name, array in weights.items()],
)
x = (np.arange(16, dtype=np.float32) / 16).reshape(1, 16)
for layer in range(3):
    x = x @ weights[f"w{layer}"] + weights[f"b{layer}"]
    if layer < 2:
        x = np.tanh(x)
print("network.onnx answers", [round(float(v), 6) for v in x[0]])

# weights in a file beside the model, as PyTorch exports today: y = x W + b, a constant of a node and one of a branch added
weights = numpy_helper.from_array(np.array([[1, 2], [3, 4]], np.float32), "W")
branch = helper.make_graph(
    [helper.make_node("Identity", ["inner"], ["branch"])],
    "branch",
    [],
    [value("branch", T.FLOAT, [2])],
    [numpy_helper.from_array(np.array([1000, 2000], np.float32), "inner")],
)
graph = helper.make_graph(
    [
        helper.make_node("MatMul", ["x", "W"], ["product"]),
        helper.make_node("Constant", [], ["b"], value=numpy_helper.from_array(np.array([10, 20], np.float32), "b")),
        helper.make_node("Constant", [], ["yes"], value=numpy_helper.from_array(np.array(True), "yes")),
        helper.make_node("If", ["yes"], ["chosen"], then_branch=branch, else_branch=branch),
        helper.make_node("Add", ["product", "b"], ["sum"]),
        helper.make_node("Add", ["sum", "chosen"], ["y"]),
    ],
    "external",
    [value("x", T.FLOAT, ["n", 2])],
    [value("y", T.FLOAT, ["n", 2])],
    [weights],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(
    model,
    "external.onnx",
    save_as_external_data=True,
    location="external.onnx.data",
    size_threshold=0,
    convert_attribute=True,
)
