#!/usr/bin/python3
"""Train a network for the smallest machines and write tiny.onnx beside this script: Fashion-MNIST in 7 x 7 pixels.

Each pixel is the mean of 4 x 4 pixels of the image. Two fully connected layers, trained so that their weights are
ternary: forward they are rounded as ternc does it, backward the rounding is passed over (straight-through). ternc finds
the weights of the file ternary and keeps them bit for bit. The rest comes from ../fashion/train.py."""
import argparse
import pathlib
import sys

import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "fashion"))
import train as fashion  # noqa: E402


def shrink(images):
    """uint8 [N][1][28][28] to [N][1][7][7], rounded down like the examples' C."""
    return (images.view(-1, 1, 7, 4, 7, 4).int().sum((3, 5)) // 16).to(torch.uint8)


class TernaryLinear(nn.Linear):
    def forward(self, x):
        rounded = self.weight + (fashion.twn(self.weight) - self.weight).detach()
        return nn.functional.linear(x, rounded, self.bias)


def make_network(kind):
    return nn.Sequential(nn.Flatten(), kind(49, 64, bias=False), nn.BatchNorm1d(64), nn.Hardtanh(), kind(64, 10))


def rounded_copy(net):
    """The same network with ordinary layers, whose weights are ternary."""
    state = net.state_dict()
    for name in ("1.weight", "4.weight"):
        state[name] = fashion.twn(state[name])
    copy = make_network(nn.Linear)
    copy.load_state_dict(state)
    return copy.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--output", default=HERE / "tiny.onnx")
    args = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    images = shrink(fashion.read_idx("train-images-idx3-ubyte.gz", 16, (60000, 1, 28, 28)))
    labels = fashion.read_idx("train-labels-idx1-ubyte.gz", 8, (60000,)).long()
    net = make_network(TernaryLinear)
    fashion.train(net, images, labels, args.epochs)
    net = rounded_copy(net)
    images = shrink(fashion.read_idx("t10k-images-idx3-ubyte.gz", 16, (10000, 1, 28, 28)))
    labels = fashion.read_idx("t10k-labels-idx1-ubyte.gz", 8, (10000,)).long()
    print(f"ternary {fashion.accuracy(net, images, labels):.2f} %")
    torch.onnx.export(net, torch.zeros(1, 1, 7, 7), str(args.output), opset_version=13, input_names=["image"],
                      output_names=["score"], training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)


if __name__ == "__main__":
    main()
