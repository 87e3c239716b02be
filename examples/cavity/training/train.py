"""Trains the surrogate on dataset.csv and writes it as ONNX.

usage: python train.py [DATASET] [MODEL]     (default: dataset.csv beside this file, surrogate.onnx one folder up)

A network 512-64-64-66 with tanh, trained in float64 by full-batch Adam; seeds are fixed. Normalisation of inputs and
outputs is part of the exported graph: block means in units of U go in, centre-line values in units of U come out.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
INPUTS, OUTPUTS, HIDDEN = 512, 66, 64
SEED = 1982
STEPS = 6000
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-5
INPUT_NOISE = 2e-3  # standard deviation, after normalisation
HELD_OUT = {145.0, 280.0, 490.0, 870.0}


def initial_weights(rng):
    sizes = [INPUTS, HIDDEN, HIDDEN, OUTPUTS]
    return [(rng.normal(0, 1 / np.sqrt(n), (n, m)), np.zeros(m)) for n, m in zip(sizes, sizes[1:])]


def forward(weights, x):
    activations = [x]
    for index, (w, b) in enumerate(weights):
        z = activations[-1] @ w + b
        activations.append(np.tanh(z) if index < len(weights) - 1 else z)
    return activations


def gradients(weights, x, y):
    activations = forward(weights, x)
    delta = 2 * (activations[-1] - y) / y.size
    result = []
    for index in range(len(weights) - 1, -1, -1):
        w, _ = weights[index]
        result.append((activations[index].T @ delta + WEIGHT_DECAY * w / w.shape[1], delta.sum(axis=0)))
        if index > 0:
            delta = (delta @ w.T) * (1 - activations[index] ** 2)
    return result[::-1]


def train(x, y):
    rng = np.random.default_rng(SEED)
    weights = [p for pair in initial_weights(rng) for p in pair]
    first = [np.zeros_like(p) for p in weights]
    second = [np.zeros_like(p) for p in weights]
    for step in range(1, STEPS + 1):
        pairs = list(zip(weights[::2], weights[1::2]))
        noisy = x + rng.normal(0, INPUT_NOISE, x.shape)
        flat = [g for pair in gradients(pairs, noisy, y) for g in pair]
        rate = LEARNING_RATE * 0.5 * (1 + np.cos(np.pi * step / STEPS))
        for i, gradient in enumerate(flat):
            first[i] = 0.9 * first[i] + 0.1 * gradient
            second[i] = 0.999 * second[i] + 0.001 * gradient**2
            m = first[i] / (1 - 0.9**step)
            v = second[i] / (1 - 0.999**step)
            weights[i] = weights[i] - rate * m / (np.sqrt(v) + 1e-8)
    return list(zip(weights[::2], weights[1::2]))


def fit(inputs, outputs):
    """Weights of the network between raw inputs and raw outputs, normalisation kept apart."""
    scale_in = inputs.mean(axis=0), np.full(INPUTS, inputs.std())
    scale_out = outputs.mean(axis=0), np.full(OUTPUTS, outputs.std(axis=0).max())
    weights = train((inputs - scale_in[0]) / scale_in[1], (outputs - scale_out[0]) / scale_out[1])
    return scale_in, weights, scale_out


def predict(model, inputs):
    (mean_in, deviation_in), weights, (mean_out, deviation_out) = model
    return forward(weights, (inputs - mean_in) / deviation_in)[-1] * deviation_out + mean_out


def export(model, file):
    (mean_in, deviation_in), weights, (mean_out, deviation_out) = model
    constants = {"mean_in": mean_in, "deviation_in": deviation_in, "mean_out": mean_out, "deviation_out": deviation_out}
    nodes = [
        helper.make_node("Sub", ["block_means", "mean_in"], ["centred"]),
        helper.make_node("Div", ["centred", "deviation_in"], ["hidden_0"]),
    ]
    for index, (w, b) in enumerate(weights):
        constants[f"weight_{index}"], constants[f"bias_{index}"] = w, b
        nodes.append(helper.make_node("Gemm", [f"hidden_{index}", f"weight_{index}", f"bias_{index}"], [f"sum_{index}"]))
        if index < len(weights) - 1:
            nodes.append(helper.make_node("Tanh", [f"sum_{index}"], [f"hidden_{index + 1}"]))
    nodes.append(helper.make_node("Mul", [f"sum_{len(weights) - 1}", "deviation_out"], ["scaled"]))
    nodes.append(helper.make_node("Add", ["scaled", "mean_out"], ["centre_lines"]))
    graph = helper.make_graph(
        nodes,
        "cavity_surrogate",
        [helper.make_tensor_value_info("block_means", TensorProto.FLOAT, ["batch", INPUTS])],
        [helper.make_tensor_value_info("centre_lines", TensorProto.FLOAT, ["batch", OUTPUTS])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()],
    )
    onnx_model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="cavity-training")
    onnx_model.ir_version = 8
    onnx.checker.check_model(onnx_model, full_check=True)
    onnx.save(onnx_model, file)


def main():
    dataset = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "dataset.csv"
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else HERE.parent / "surrogate.onnx"
    table = np.loadtxt(dataset, delimiter=",")
    reynolds, lids, inputs, outputs = table[:, 0], table[:, 1], table[:, 2 : 2 + INPUTS], table[:, 2 + INPUTS :]
    assert outputs.shape[1] == OUTPUTS, f"{dataset}: {table.shape[1]} columns, expected {2 + INPUTS + OUTPUTS}"

    held_out = np.isin(reynolds, list(HELD_OUT))
    trial = fit(inputs[~held_out], outputs[~held_out])
    errors = np.abs(predict(trial, inputs) - outputs).max(axis=1)
    print(f"trained on {np.sum(~held_out)} of {len(table)} runs: at most {errors[~held_out].max():.4f} U off")
    for i in np.flatnonzero(held_out):
        print(f"  held out: Re {reynolds[i]:5.0f}  U {lids[i]:.2f}  at most {errors[i]:.4f} U off")

    model = fit(inputs, outputs)
    print(f"trained on all {len(table)} runs: at most {np.abs(predict(model, inputs) - outputs).max():.4f} U off")
    export(model, target)
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
