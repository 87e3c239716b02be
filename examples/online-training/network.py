"""The surrogate: a network that gives the velocity in a cavity at a Reynolds number and a time."""

import io
import warnings

import torch
from torch import nn


class Surrogate(nn.Module):
    """From log10(Re) and time in L/U, [n, 2], to velocities in units of the lid's, [n, 2, grid, grid]."""

    def __init__(self, grid):
        super().__init__()
        self.grid = grid
        self.layers = nn.Sequential(
            nn.Linear(3, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2 * grid * grid)
        )

    def forward(self, reynolds_time):
        reynolds, time = reynolds_time[:, :1], reynolds_time[:, 1:]
        # Around 0 and of the order of 1; the flow changes fast at first.
        features = torch.cat([4 * (reynolds - 2.4), time / 8 - 1, 2 * torch.exp(-time / 2) - 1], 1)
        return self.layers(features).reshape(-1, 2, self.grid, self.grid)


def onnx_bytes(model):
    """The model as bytes, for the store's backend ONNX, for any number of samples."""
    buffer, free = io.BytesIO(), {0: "n"}
    with warnings.catch_warnings():
        # The exporter that needs no further package is called the old one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(),
            (torch.tensor([[2.0, 1.0], [2.5, 2.0]]),),
            buffer,
            dynamo=False,
            input_names=["reynolds_time"],
            output_names=["velocity"],
            dynamic_axes={"reynolds_time": free, "velocity": free},
        )
    model.train()
    return buffer.getvalue()
