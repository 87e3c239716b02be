"""Every script of SmartSim's and SmartRedis's documentation and tests, by meaning, sent and run by smartredis. Arguments:
`all`, or `subset` for those that need no PyTorch in the store. Prints, by name, what PyTorch answers itself, eagerly, and
what the store has answered.
"""

import inspect
import pathlib
import sys
import tempfile
from typing import List

import numpy as np
import torch
from answers import Answers, refusal
from smartredis import Client

torch.manual_seed(1)
torch.set_num_threads(1)
client = Client()
answers = Answers(client)


def calc_svd(input_tensor):
    return input_tensor.svd()


def timestwo(x):
    return 2 * x


def negate(x):
    return torch.neg(x)


def average(x):
    return torch.tensor(torch.mean(x)).unsqueeze(0)


def one_to_one(x):
    # The largest of each row.
    return x.max(1)[0]


def two_to_one(a, b):
    """The largest of each row of both."""
    rows = torch.cat((a, b))
    return rows.max(1)[0]


def halve_first(inp):
    scale = torch.zeros(1).float().to(inp.device)
    scale[0] = 2.0
    return inp.float() * scale


def as_picture(inp):
    mean = torch.zeros(3).float().to(inp.device)
    mean[0] = 0.5
    mean[1] = 0.25
    mean[2] = 0.125
    mean = mean.unsqueeze(1).unsqueeze(1)
    deviation = torch.zeros(3).float().to(inp.device)
    deviation[0], deviation[1], deviation[2] = 0.5, 2.0, 4.0
    picture = inp.float().div(28).permute(1, 0).unsqueeze(0)
    return picture.sub(mean).div(deviation.unsqueeze(1).unsqueeze(1))


def largest(output):
    return output.max(1)[1]


def statistics(x):
    # smartredis cannot read tensors without dimensions.
    return x.mean().unsqueeze(0), x.std().unsqueeze(0), (x - x.mean()) / x.std()


def speed(ux: torch.Tensor, uy: torch.Tensor) -> torch.Tensor:
    return torch.sqrt(ux * ux + uy * uy)


def stacked(tensors: List[torch.Tensor]):
    return torch.stack(tensors, 2)


normalise = """
def scaled(x, centre: float, width: float):
    return (x - centre) / width

def normalise(x):
    return scaled(x, x.mean(), x.std())
"""

probe = """
def widened(x, dims: List[int]):
    for dim in dims:
        x = torch.unsqueeze(x, dim)
    return x

def probe(field, x, y):
    places = torch.stack((widened(x, [0, 0]), widened(y, [0, 0])), 3)
    return torch.grid_sampler(widened(field, [0, 0]).double(), places.double(), 0, 0, False).squeeze()
"""


def wrong_kind(x):
    """Is refused when it has run, not when it is set."""
    return False


def nested():
    def print_it(param):
        print(param)

    return print_it


def eager(source, name):
    names = {"torch": torch, "List": List}
    exec(source, names)
    return names[name]


def tensors_of(answer):
    return list(answer) if isinstance(answer, (tuple, list)) else [answer]


def ask(name, send, function, *inputs, title=None):
    send(title or name)
    wanted = {f"output{index}": y.numpy() for index, y in enumerate(tensors_of(function(*inputs)))}
    arrays = [x.numpy() for each in inputs for x in (each if isinstance(each, list) else [each])]
    call = lambda keys, outputs: client.run_script(title or name, name, keys, outputs)
    answers.ask(title or name, arrays, wanted, call)


def ask_function(function, *inputs):
    ask(function.__name__, lambda key: client.set_function(key, function), function, *inputs)


def ask_source(source, name, *inputs):
    ask(name, lambda key: client.set_script(key, source, "CPU"), eager(source, name), *inputs)


field = torch.rand(4, 5)
ask_function(timestwo, field)
ask_function(average, field)
ask_function(one_to_one, torch.tensor([[3, 1, 4, 1, 5]]))
ask_function(two_to_one, torch.tensor([[3, 1, 4, 1, 5]]), torch.tensor([[2, 7, 1, 8, 2]]))
ask_function(halve_first, torch.arange(6, dtype=torch.int32).reshape(2, 3))
ask_function(as_picture, torch.randint(0, 255, (8, 6), dtype=torch.uint8))
ask_function(largest, torch.rand(20, 10))
ask_function(statistics, field)
ask_function(speed, torch.rand(6, 7), torch.rand(6, 7))
ask_function(stacked, [torch.rand(2, 3), torch.rand(2, 3), torch.rand(2, 3)])
ask_source(normalise, "normalise", field)
ask_source(probe, "probe", field, torch.rand(7) * 2 - 1, torch.rand(7) * 2 - 1)

source = inspect.getsource(negate)
ask("negate", lambda key: client.set_script(key, source, "CPU"), negate, field, title="negate-string")
with tempfile.TemporaryDirectory() as folder:
    file = pathlib.Path(folder, "negate.py")
    file.write_text(f"# A script in a file.\n{source}", encoding="utf-8")
    ask("negate", lambda key: client.set_script_from_file(key, str(file), "CPU"), negate, field, title="negate-file")
if sys.argv[1] == "all":
    ask_function(calc_svd, torch.rand(5, 3, 2))

client.set_function("wrong_kind", wrong_kind)
client.set_function("nested", nested())
client.put_tensor("x", np.ones((2, 3), np.float32))
refusals = {
    "wrong kind": refusal(lambda: client.run_script("wrong_kind", "wrong_kind", ["x"], ["y"])),
    "no such function": refusal(lambda: client.run_script("speed", "slowness", ["x", "x"], ["y"])),
    "too few inputs": refusal(lambda: client.run_script("speed", "speed", ["x"], ["y"])),
    "too many outputs": refusal(lambda: client.run_script("speed", "speed", ["x", "x"], ["y", "z"])),
    "syntax": refusal(lambda: client.set_script("broken", "def f(x:\n    return x\n", "CPU")),
}
answers.print(refusals=refusals)
