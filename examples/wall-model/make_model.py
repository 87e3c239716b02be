"""Trains the wall model on the law of the wall, and writes it as TorchScript.

usage: python make_model.py [FILE]     needs torch (1.11 to 2.15)

In: [walls, 1] float32, logarithm of the Reynolds number of speed and distance in the first cell. Out: [walls, 1] float32,
logarithm of its distance in wall units. Prints the largest error of the friction velocity on points between those
that it was trained on.
"""

import math
import sys
import warnings
from pathlib import Path

import torch

from law import distance, speed

SMALLEST, LARGEST = 4.0, 2000.0  # wall units
warnings.filterwarnings("ignore")  # PyTorch 2.15 deprecates TorchScript; SmartSim's users have it


class WallModel(torch.nn.Module):
    """A correction of y = sqrt(Re), the law in the viscous layer, by a small network."""

    def __init__(self, centre, width):
        super().__init__()
        self.register_buffer("centre", torch.tensor(centre))
        self.register_buffer("width", torch.tensor(width))
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(1, 16), torch.nn.Tanh(), torch.nn.Linear(16, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1)
        )

    def forward(self, x):
        return x / 2 + self.layers((x - self.centre) / self.width)


def train(points=400):
    torch.manual_seed(7)
    low, high = (math.log(y * speed(y)) for y in (SMALLEST, LARGEST))
    x = torch.linspace(low, high, points, dtype=torch.float64).unsqueeze(1)
    y = torch.tensor([[math.log(distance(math.exp(value)))] for value in x.flatten().tolist()], dtype=torch.float64)
    model = WallModel((low + high) / 2, (high - low) / 2).double()
    endless = {"max_eval": 10_000, "tolerance_grad": 0, "tolerance_change": 0}
    optimiser = torch.optim.LBFGS(
        model.parameters(), max_iter=1500, history_size=100, line_search_fn="strong_wolfe", **endless
    )

    def closure():
        optimiser.zero_grad()
        loss = 1e4 * torch.mean((model(x) - y) ** 2)
        loss.backward()
        return loss

    optimiser.step(closure)
    model = model.float().eval()
    between = (x[1:] + x[:-1]).float() / 2
    wanted = torch.tensor([[math.log(distance(math.exp(value)))] for value in between.flatten().tolist()])
    with torch.no_grad():
        worst = torch.max(torch.abs(torch.exp(model(between) - wanted) - 1)).item()
    return model, worst


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent / "wall_model.pt"
    trained, error = train()
    torch.jit.save(torch.jit.trace(trained, torch.zeros(8, 1)), str(target))
    print(f"friction velocity at most {error:.2e} off between y+ = {SMALLEST:g} and {LARGEST:g}")
