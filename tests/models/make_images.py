"""make_images.py FOLDER TRAIN TEST: small data sets of random images with a bright block where their class says, in the files
of the papers' data: FOLDER/mnist (IDX), FOLDER/cifar (CIFAR-10's binary version), FOLDER/imagenet (.npy, 32 x 32)."""
import os
import sys

import numpy as np

folder, train, test = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random = np.random.default_rng(1)


def draw(count, channels, size):
    labels = random.integers(0, 10, count)
    images = random.integers(0, 100, (count, channels, size, size), np.uint8)
    for image, label in zip(images, labels):
        row, column = 1 + label // 4 * 9, 1 + label % 4 * 7
        image[:, row:row + 6, column:column + 6] += 155
    return images, labels.astype(np.uint8)


def idx(name, array):
    with open(os.path.join(folder, "mnist", name), "wb") as file:
        file.write(bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes())


def cifar(name, count):
    images, labels = draw(count, 3, 32)
    np.concatenate([labels[:, None], images.reshape(count, -1)], 1).tofile(os.path.join(folder, "cifar", name))


for name in ("mnist", "cifar", "imagenet"):
    os.makedirs(os.path.join(folder, name))
for name, count in (("train", train), ("t10k", test)):
    images, labels = draw(count, 1, 28)
    idx(f"{name}-images-idx3-ubyte", images[:, 0])
    idx(f"{name}-labels-idx1-ubyte", labels)
for batch in range(1, 6):
    cifar(f"data_batch_{batch}.bin", train // 5)
cifar("test_batch.bin", test)
for name, count in (("train", train), ("test", test)):
    images, labels = draw(count, 3, 32)
    np.save(os.path.join(folder, "imagenet", f"{name}_images.npy"), images)
    np.save(os.path.join(folder, "imagenet", f"{name}_labels.npy"), labels)
