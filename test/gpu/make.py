"""Writes the models of test/gpu/checks.mjs into a folder, with what PyTorch answers on the CPU; prints what is here of GPUs.

Arguments: folder. Prints {"torch", "gpus", "name", "providers", "input", "output"} as JSON.
"""

import json
import sys
import warnings
from pathlib import Path

import torch
from torch import nn

warnings.filterwarnings("ignore")  # PyTorch 2.15 deprecates TorchScript
torch.manual_seed(1)
folder = Path(sys.argv[1])

network = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4), nn.Softmax(1)).eval()
x = torch.rand(6, 16)
torch.jit.save(torch.jit.trace(network, x), str(folder / "network.pt"))
if hasattr(torch, "export"):
    torch.export.save(torch.export.export(network, (x,)), str(folder / "network.pt2"))
try:
    import onnxruntime

    providers = onnxruntime.get_available_providers()
except ImportError:
    providers = []
gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
found = {
    "torch": torch.__version__,
    "gpus": gpus,
    "name": torch.cuda.get_device_name(0) if gpus > 0 else "",
    "providers": providers,
    "input": x.flatten().tolist(),
    "output": network(x).flatten().tolist(),
}
print(json.dumps(found))
