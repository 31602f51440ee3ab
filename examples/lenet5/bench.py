#!/usr/bin/python3
"""One epoch of float training of LeNet-5, batch 100: ternc against PyTorch with the same number of threads, one after the
other in the same run. Prints seconds, their ratio, and the peak memory of both processes.

    bench.py TERNC MNIST_FOLDER [THREADS]      needs the Debian packages python3-torch and python3-onnx
"""
import json
import pathlib
import resource
import subprocess
import sys
import tempfile

TORCH = """
import gzip, sys, time
import numpy as np, torch
from torch import nn
folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads); torch.manual_seed(1)
def read(name, header): return np.frombuffer(gzip.open(folder + "/" + name).read(), np.uint8, offset=header)
x = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
y = torch.tensor(read("train-labels-idx1-ubyte.gz", 8).astype(np.int64))
norm = lambda n, make: [make(n), nn.ReLU()]
net = nn.Sequential(nn.Conv2d(1, 32, 5, bias=False), *norm(32, nn.BatchNorm2d), nn.MaxPool2d(2),
                    nn.Conv2d(32, 64, 5, bias=False), *norm(64, nn.BatchNorm2d), nn.MaxPool2d(2), nn.Flatten(),
                    nn.Linear(1024, 512, bias=False), *norm(512, nn.BatchNorm1d), nn.Linear(512, 10))
step = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9, weight_decay=1e-4)
batch = lambda ids: (torch.tensor(x[ids].astype(np.float32)) / 255 - 0.1307) / 0.3081
start = time.monotonic()
order = np.random.permutation(55000)
for i in range(0, 55000, 100):
    ids = order[i:i + 100]
    step.zero_grad(); nn.functional.cross_entropy(net(batch(ids)), y[ids]).backward(); step.step()
net.eval()
with torch.no_grad():
    right = sum((net(batch(range(i, i + 100))).argmax(1) == y[i:i + 100]).sum().item() for i in range(55000, 60000, 100))
print(time.monotonic() - start)
"""


def peak_megabytes():
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main():
    ternc, folder, threads = sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "1"
    data = f"{folder}/train-images-idx3-ubyte.gz,{folder}/train-labels-idx1-ubyte.gz"
    with tempfile.TemporaryDirectory() as temp:
        model, log = f"{temp}/net.onnx", f"{temp}/log"
        subprocess.run([sys.executable, pathlib.Path(__file__).with_name("make.py"), model], check=True)
        subprocess.run([ternc, "ternarize", model, "-o", f"{temp}/out.onnx", "--method", "none", "--data", data, "--scale",
                        "1/255", "--mean", "0.1307", "--std", "0.3081", "--valid", "5000", "--epochs", "1", "--threads",
                        threads, "--log", log, "--quiet"], check=True, stdout=subprocess.DEVNULL)
        ours, our_memory = json.loads(pathlib.Path(log).read_text())["seconds"], peak_megabytes()
    done = subprocess.run([sys.executable, "-c", TORCH, folder, threads], check=True, capture_output=True, text=True)
    theirs, their_memory = float(done.stdout), peak_megabytes()
    print(f"threads {threads}: ternc {ours:.1f} s, PyTorch {theirs:.1f} s, ratio {ours / theirs:.2f} (1 or less is wanted)")
    print(f"peak memory: ternc {our_memory:.0f} MB, PyTorch {their_memory:.0f} MB")


if __name__ == "__main__":
    main()
