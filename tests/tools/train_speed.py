#!/usr/bin/python3
"""train_speed.py TERNC NETWORK THREADS IMAGES TURNS: an epoch of float training, batch 100, SGD with momentum, by ternc and
by PyTorch in turns, on random images. Prints for each the least seconds per 1,000 images and the peak megabytes of the
process. NETWORK: vgg7 or resnet20 of examples/papers/make.py. Each run trains two epochs, of which the second counts.

PyTorch has its images channels last or first, whichever takes less time. train_speed.sh says what has to be installed.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
TORCH = """
import sys, time
import numpy as np, torch
from torch import nn
from torch.nn.functional import cross_entropy, relu
network, data, threads, held, last = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5] == "last"
libraries = open("/proc/self/maps").read()
if "openblas" not in libraries and "mkl_" not in libraries:
    sys.exit("train_speed.py: PyTorch has found no fast BLAS: install libopenblas0-pthread")
torch.set_num_threads(threads)
torch.manual_seed(1)
def conv(inputs, outputs, size=3, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs))
class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first, self.second = conv(inputs, outputs, 3, stride), conv(outputs, outputs)
        self.around = conv(inputs, outputs, 1, stride) if stride > 1 else nn.Identity()
    def forward(self, x):
        return relu(self.second(relu(self.first(x), inplace=True)) + self.around(x), inplace=True)
def resnet20():
    parts, channels = [conv(3, 16), nn.ReLU(inplace=True)], 16
    for outputs in (16, 32, 64):
        for block in range(3):
            parts.append(Block(channels, outputs, 2 if outputs != channels else 1))
            channels = outputs
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
def vgg7():
    parts, channels = [], 3
    for outputs in (128, 256, 512):
        parts += [conv(channels, outputs), nn.ReLU(inplace=True), conv(outputs, outputs), nn.ReLU(inplace=True),
                  nn.MaxPool2d(2)]
        channels = outputs
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(8192, 1024, bias=False), nn.BatchNorm1d(1024),
                         nn.ReLU(inplace=True), nn.Linear(1024, 10))
form = torch.channels_last if last else torch.contiguous_format
net = {"vgg7": vgg7, "resnet20": resnet20}[network]().to(memory_format=form)
step = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, weight_decay=1e-4)
x, y = np.load(data + ".x.npy"), torch.from_numpy(np.load(data + ".y.npy"))
images = len(x) - held
def batch(ids): return (torch.from_numpy(x[ids].astype(np.float32)) / 255).contiguous(memory_format=form)
for epoch in range(2):
    start = time.monotonic()
    net.train()
    order = np.random.permutation(images)
    for i in range(0, images, 100):
        ids = order[i:i + 100]
        step.zero_grad(set_to_none=True)
        cross_entropy(net(batch(ids)), y[ids]).backward()
        step.step()
    net.eval()
    with torch.no_grad():
        right = (net(batch(slice(images, None))).argmax(1) == y[images:]).sum().item()
    seconds = time.monotonic() - start
print(seconds)
"""
HELD = 100  # images


def run(command, threads):
    """Output and peak megabytes of the process."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                             env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads})
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(child.returncode)
    return output, usage.ru_maxrss / 1024


def by_ternc(ternc, network, data, threads):
    _, memory = run([ternc, "ternarize", f"{data}.onnx", "-o", f"{data}.out.onnx", "--method", "none", "--data",
                     f"{data}.x.npy,{data}.y.npy", "--valid", str(HELD), "--scale", "1/255", "--epochs", "2", "--lr", "0.01",
                     "--threads", threads, "--log", f"{data}.log", "--quiet"], threads)
    return json.loads(pathlib.Path(f"{data}.log").read_text().splitlines()[-1])["seconds"], memory


def by_torch(network, data, threads, order):
    output, memory = run([sys.executable, "-c", TORCH, network, data, threads, str(HELD), order], threads)
    return float(output), memory


def main():
    ternc, network, threads, images, turns = sys.argv[1:6]
    random = np.random.default_rng(1)
    count = int(images) + HELD
    with tempfile.TemporaryDirectory() as temp:
        data = f"{temp}/{network}"
        subprocess.run([sys.executable, ROOT / "examples/papers/make.py", network, f"{data}.onnx"], check=True)
        np.save(f"{data}.x.npy", random.integers(0, 256, (count, 3, 32, 32), np.uint8))
        np.save(f"{data}.y.npy", random.integers(0, 10, count))
        ours, theirs = [], []
        for _ in range(int(turns)):
            ours.append(by_ternc(ternc, network, data, threads))
            theirs += [by_torch(network, data, threads, order) for order in ("first", "last")]
    for runs in (ours, theirs):
        seconds, memory = min(runs)
        print(f"{seconds * 1000 / int(images):.2f} {memory:.0f}")


if __name__ == "__main__":
    main()
