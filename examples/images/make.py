#!/usr/bin/python3
"""Write images.h beside this script: the first test image of each class of Fashion-MNIST (MIT licence), for programs
without files. Needs the Debian package dataset-fashion-mnist."""
import gzip
import pathlib

DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")
NAMES = ["T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]


def main():
    pixels = gzip.open(DATA / "t10k-images-idx3-ubyte.gz").read()[16:]
    labels = gzip.open(DATA / "t10k-labels-idx1-ubyte.gz").read()[8:]
    lines = ["/* images.h - one test image of Fashion-MNIST per class, image i of class i; made by make.py. IMAGE_SPACE:",
             " * where they lie, such as an address space. */", "#ifndef IMAGES_H", "#define IMAGES_H", "",
             "#include <stdint.h>", "", "#ifndef IMAGE_SPACE", "#define IMAGE_SPACE", "#endif",
             f"#define NUM_IMAGES {len(NAMES)}", "", "/* clang-format off */", "static const char *const class_names[NUM_IMAGES] = {"]
    lines += [f'    "{name}",' for name in NAMES]
    lines += ["};", "", "static const IMAGE_SPACE uint8_t images[NUM_IMAGES][28 * 28] = {"]
    for label, name in enumerate(NAMES):
        first = labels.index(label) * 784
        lines.append(f"    {{ /* {name}, test image {first // 784} */")
        for row in range(first, first + 784, 28):
            lines.append("        " + ", ".join(str(p) for p in pixels[row:row + 28]) + ",")
        lines.append("    },")
    lines += ["};", "/* clang-format on */", "", "#endif"]
    pathlib.Path(__file__).with_name("images.h").write_text("\n".join(lines) + "\n")


main()
