"""A pipeline whose tensors never leave the store: a script makes pictures of counts, a traced network rates them, a script
names the best rate. Prints what PyTorch answers for the whole, and what the store has answered.
"""

import io
import warnings

import torch
from answers import Answers
from smartredis import Client
from torch import nn

warnings.filterwarnings("ignore")  # PyTorch 2.15 deprecates TorchScript
torch.manual_seed(1)
torch.set_num_threads(1)
client = Client()
answers = Answers(client)


def pre_process(counts):
    scaled = counts.float().div(255)
    return (scaled - 0.5).unsqueeze(1)


def post_process(rates):
    best = rates.max(1)
    return best[1], torch.exp(best[0])


network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 14 * 14, 5), nn.LogSoftmax(1)).eval()
blob = io.BytesIO()
torch.jit.save(torch.jit.trace(network, torch.rand(1, 1, 16, 16)), blob)
client.set_function("pre_process", pre_process)
client.set_model("network", blob.getvalue(), "TORCH", device="CPU")
client.set_function("post_process", post_process)


def run(keys, outputs):
    client.run_script("pre_process", "pre_process", keys, ["pictures"])
    client.run_model("network", inputs=["pictures"], outputs=["rates"])
    client.run_script("post_process", "post_process", ["rates"], outputs)


counts = torch.randint(0, 255, (20, 16, 16), dtype=torch.uint8)
best, rate = post_process(network(pre_process(counts)))
answers.ask("pipeline", [counts.numpy()], {"best": best.numpy(), "rate": rate.detach().numpy()}, run)
answers.print()
