#!/usr/bin/python3
"""Train the demo's network on Fashion-MNIST in float and write fashion.onnx beside this script.

Needs the Debian packages python3-torch, python3-onnx and dataset-fashion-mnist, one CPU core and some ten minutes.
Plain float training: nothing in it knows that the weights will be made ternary. What makes the network stand that
later is its shape: few layers, each wide; BatchNorm behind each; activations that saturate on both sides (Clip to
-1 .. 1), so that inputs of the next layer are centred and an error in a sum is cut off instead of passed on.

    train.py [--epochs N] [--output FILE]    prints accuracy in float and, for comparison, after data-free TWN
"""
import argparse
import copy
import gzip
import math
import pathlib

import numpy as np
import torch
from torch import nn

DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")
BATCH, RATE, DECAY = 128, 0.1, 5e-4


def read_idx(name, header, shape):
    raw = gzip.open(DATA / name).read()
    return torch.from_numpy(np.frombuffer(raw, np.uint8, offset=header).reshape(shape).copy())


def make_network():
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2, bias=False), nn.BatchNorm2d(16), nn.Hardtanh(), nn.MaxPool2d(2),
        nn.Conv2d(16, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.Hardtanh(), nn.MaxPool2d(3),
        nn.Flatten(), nn.Dropout(0.3),
        nn.Linear(64 * 4 * 4, 64, bias=False), nn.BatchNorm1d(64), nn.Hardtanh(),
        nn.Linear(64, 10))


def learning_rate(progress):
    """Rises over the first fifth, then falls as a cosine. progress: 0 to 1."""
    if progress < 0.2:
        return RATE * progress / 0.2
    return RATE * 0.5 * (1 + math.cos(math.pi * (progress - 0.2) / 0.8))


def train(net, images, labels, epochs):
    optimizer = torch.optim.SGD(net.parameters(), RATE, momentum=0.9, weight_decay=DECAY, nesterov=True)
    steps = len(images) // BATCH
    for epoch in range(epochs):
        order = torch.randperm(len(images))
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate((epoch * steps + step) / (epochs * steps))
            batch = order[step * BATCH:(step + 1) * BATCH]
            x = images[batch].float() / 255
            if torch.rand(1).item() < 0.5:
                x = x.flip(3)
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x), labels[batch]).backward()
            optimizer.step()
        print(f"epoch {epoch + 1} of {epochs} done", flush=True)
    net.eval()


def accuracy(net, images, labels):
    with torch.no_grad():
        right = sum((net(x.float() / 255).argmax(1) == y).sum().item()
                    for x, y in zip(images.split(1000), labels.split(1000)))
    return 100 * right / len(images)


def twn(weights):
    """Per output channel the scale and ternary codes nearest to the weights: ternc's default, here only to report."""
    rows = weights.flatten(1).double()
    sizes, _ = rows.abs().sort(1, descending=True)
    sums, counts = sizes.cumsum(1), torch.arange(1, sizes.shape[1] + 1)
    best = (sums ** 2 / counts).argmax(1, keepdim=True)
    keep = rows.abs() >= sizes.gather(1, best)
    return (rows.sign() * keep * sums.gather(1, best) / (best + 1)).float().view_as(weights)


def ternary_copy(net):
    """First and last layer stay float."""
    net = copy.deepcopy(net)
    layers = [m for m in net if isinstance(m, (nn.Conv2d, nn.Linear))]
    for layer in layers[1:-1]:
        layer.weight.data = twn(layer.weight.data)
    return net


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--output", default=pathlib.Path(__file__).with_name("fashion.onnx"))
    args = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    images = read_idx("train-images-idx3-ubyte.gz", 16, (60000, 1, 28, 28))
    labels = read_idx("train-labels-idx1-ubyte.gz", 8, (60000,)).long()
    net = make_network()
    train(net, images, labels, args.epochs)
    images = read_idx("t10k-images-idx3-ubyte.gz", 16, (10000, 1, 28, 28))
    labels = read_idx("t10k-labels-idx1-ubyte.gz", 8, (10000,)).long()
    print(f"float {accuracy(net, images, labels):.2f} %, TWN {accuracy(ternary_copy(net), images, labels):.2f} %")
    # BatchNormalization nodes stay: folded into the weights they would give every channel another magnitude.
    torch.onnx.export(net, torch.zeros(1, 1, 28, 28), str(args.output), opset_version=13, input_names=["image"],
                      output_names=["score"], training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)


if __name__ == "__main__":
    main()
