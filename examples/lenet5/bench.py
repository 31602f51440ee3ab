#!/usr/bin/python3
"""One epoch of float training of LeNet-5, batch 100: ternc against PyTorch with the same number of threads. Both run in
turns; the ratio is the median over the turns. Prints seconds and the peak memory of both processes.

    bench.py TERNC MNIST_FOLDER [--threads N] [--turns N] [--images N]

Needs the Debian packages python3-torch, python3-onnx and libopenblas0-pthread: with the reference BLAS, which
python3-torch is content with, PyTorch's matrix products would be several times slower than they have to be. Its images
lie channels last, which is its faster form on CPUs.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

TORCH = """
import gzip, sys, time
import numpy as np, torch
from torch import nn
folder, threads, images = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
libraries = open("/proc/self/maps").read()
if "openblas" not in libraries and "mkl_" not in libraries:
    sys.exit("bench.py: PyTorch has found no fast BLAS: install libopenblas0-pthread")
torch.set_num_threads(threads); torch.manual_seed(1)
def read(name, header): return np.frombuffer(gzip.open(folder + "/" + name).read(), np.uint8, offset=header)
x = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
y = torch.tensor(read("train-labels-idx1-ubyte.gz", 8).astype(np.int64))
norm = lambda n, make: [make(n), nn.ReLU(inplace=True)]
net = nn.Sequential(nn.Conv2d(1, 32, 5, bias=False), *norm(32, nn.BatchNorm2d), nn.MaxPool2d(2),
                    nn.Conv2d(32, 64, 5, bias=False), *norm(64, nn.BatchNorm2d), nn.MaxPool2d(2), nn.Flatten(),
                    nn.Linear(1024, 512, bias=False), *norm(512, nn.BatchNorm1d), nn.Linear(512, 10))
net = net.to(memory_format=torch.channels_last)
step = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9, weight_decay=1e-4)
def batch(ids):
    pixels = (torch.from_numpy(x[ids].astype(np.float32)) / 255 - 0.1307) / 0.3081
    return pixels.contiguous(memory_format=torch.channels_last)
start = time.monotonic()
trained = images - images // 12
order = np.random.permutation(trained)
for i in range(0, trained - 99, 100):
    ids = order[i:i + 100]
    step.zero_grad(set_to_none=True)
    nn.functional.cross_entropy(net(batch(ids)), y[ids]).backward()
    step.step()
net.eval()
with torch.no_grad():
    right = sum((net(batch(slice(i, min(i + 100, images)))).argmax(1) == y[i:min(i + 100, images)]).sum().item()
                for i in range(trained, images, 100))
print(time.monotonic() - start)
"""


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


def run_ternc(args, temp):
    data = f"{args.folder}/train-images-idx3-ubyte.gz,{args.folder}/train-labels-idx1-ubyte.gz"
    _, memory = run([args.ternc, "ternarize", f"{temp}/net.onnx", "-o", f"{temp}/out.onnx", "--method", "none", "--data",
                     data, "--scale", "1/255", "--mean", "0.1307", "--std", "0.3081", "--limit", str(args.images),
                     "--valid", str(args.images // 12), "--epochs", "1", "--threads", args.threads, "--log",
                     f"{temp}/log", "--quiet"], args.threads)
    return json.loads(pathlib.Path(f"{temp}/log").read_text())["seconds"], memory


def run_torch(args):
    output, memory = run([sys.executable, "-c", TORCH, args.folder, args.threads, str(args.images)], args.threads)
    return float(output), memory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ternc")
    parser.add_argument("folder")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--images", type=int, default=60000, help="of which a twelfth is held back")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temp:
        subprocess.run([sys.executable, pathlib.Path(__file__).with_name("make.py"), f"{temp}/net.onnx"], check=True)
        turns = [(*run_ternc(args, temp), *run_torch(args)) for _ in range(args.turns)]
    for ours, our_memory, theirs, their_memory in turns:
        print(f"ternc {ours:6.2f} s, PyTorch {theirs:6.2f} s, ratio {ours / theirs:.2f}; "
              f"peak {our_memory:.0f} and {their_memory:.0f} MB")
    ratio = statistics.median(ours / theirs for ours, _, theirs, _ in turns)
    print(f"{args.images} images, {args.threads} thread(s): ratio {ratio:.2f} (1 or less is wanted)")


if __name__ == "__main__":
    main()
