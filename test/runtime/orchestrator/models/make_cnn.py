"""Makes a network of the size that reads MNIST's digits, as PyTorch exports it, and what it answers itself.

`pip install torch==2.15.0 onnx==1.16.2 protobuf==4.25.8 numpy==1.26.4` and run in this folder.
"""

import json

import torch
from torch import nn

torch.manual_seed(5)
network = nn.Sequential(
    nn.Conv2d(1, 8, 3),
    nn.ReLU(),
    nn.Conv2d(8, 16, 3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Dropout(0.25),
    nn.Flatten(1),
    nn.Linear(2304, 64),
    nn.ReLU(),
    nn.Linear(64, 10),
    nn.LogSoftmax(1),
).eval()
pixels = torch.sin(torch.arange(2 * 28 * 28, dtype=torch.float32) * 0.05).reshape(2, 1, 28, 28)
torch.onnx.export(
    network,
    (pixels[:1],),
    "cnn.onnx",
    input_names=["pixels"],
    output_names=["digits"],
    dynamic_axes={"pixels": {0: "n"}, "digits": {0: "n"}},
    opset_version=17,
    dynamo=False,
)
with torch.no_grad():
    answer = network(pixels)
with open("cnn.json", "w") as file:
    json.dump({"shape": list(answer.shape), "output": [round(value, 6) for value in answer.ravel().tolist()]}, file)
