"""same_codes.py TERNC FOLDER MODEL SAMPLES COUNT: a model with quantised activations in onnxruntime and as generated C, on the
first COUNT samples of a .npy or IDX file. Prints how many codes of its output there are, how many differ, by how many steps at
most, and for how many samples the largest is another. FOLDER has node_modules and codes.mjs."""
import gzip
import json
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import numpy_helper

MAIN = """#include "net.h"
#include <stdio.h>
static float x[NET_INPUT_SIZE], y[NET_OUTPUT_SIZE];
int main(void)
{
    while (fread(x, sizeof x, 1, stdin) == 1) {
        net_run(x, y);
        fwrite(y, sizeof y, 1, stdout);
    }
    return 0;
}
"""


def load(path, count):
    if path.endswith(".npy"):
        return np.load(path)[:count].astype(np.float32)
    data = gzip.open(path).read()
    return np.frombuffer(data, np.uint8, offset=16).reshape(-1, 28 * 28)[:count].astype(np.float32)


def output_step(model):
    name = model.graph.output[0].name
    node = [n for n in model.graph.node if n.output[0] == name][0]
    return [float(numpy_helper.to_array(t)) for t in model.graph.initializer if t.name == node.input[1]][0]


def c_outputs(ternc, folder, path, samples):
    subprocess.run([ternc, "compile", "-q", path, "-o", folder, "--name", "net", "--method", "none"], check=True,
                   stdout=subprocess.DEVNULL)
    with open(folder + "/main.c", "w") as f:
        f.write(MAIN)
    program = folder + "/net"
    subprocess.run(["clang", "-O2", "-I" + folder, folder + "/main.c", folder + "/net.c", "-lm", "-o", program], check=True)
    return np.frombuffer(subprocess.run([program], input=samples.tobytes(), check=True, capture_output=True).stdout, np.float32)


def other_outputs(folder, path, samples, dims):
    samples.tofile(folder + "/samples")
    subprocess.run(["node", "codes.mjs", path, "samples", str(len(samples)), json.dumps(dims), "outputs"], cwd=folder, check=True)
    return np.fromfile(folder + "/outputs", np.float32)


ternc, folder, path, samples, count = sys.argv[1:]
folder, path = os.path.abspath(folder), os.path.abspath(path)
model = onnx.load(path)
samples = load(samples, int(count))
dims = [d.dim_value or 1 for d in model.graph.input[0].type.tensor_type.shape.dim]
ours = c_outputs(ternc, folder, path, samples).reshape(len(samples), -1)
others = other_outputs(folder, path, samples, dims).reshape(len(samples), -1)
steps = np.abs(np.round((ours - others) / output_step(model)))
print(f"{steps.size:,} {np.count_nonzero(steps):,} {steps.max():.0f} {np.count_nonzero(ours.argmax(1) != others.argmax(1))}")
