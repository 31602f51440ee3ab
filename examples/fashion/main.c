/* main.c - an application with a network in it: classifies the 10,000 test images of Fashion-MNIST.
 *
 *     fashion IMAGES LABELS
 *
 * IMAGES and LABELS are IDX files, gzipped or not. The network is net.c, which ternc has written; it is
 * compiled together with this file. Prints one line: images, accuracy in percent, median microseconds per
 * image, bytes of RAM.
 */
#include "net.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

#ifndef PIXEL_SCALE /* the network's input for a pixel is pixel * PIXEL_SCALE + PIXEL_OFFSET */
#define PIXEL_SCALE (1.0f / 255.0f)
#endif
#ifndef PIXEL_OFFSET
#define PIXEL_OFFSET 0.0f
#endif
enum { IMAGES = 10000, PIXELS = NET_INPUT_SIZE, CLASSES = NET_OUTPUT_SIZE };

static uint8_t images[IMAGES][PIXELS], labels[IMAGES];
static double micros[IMAGES];

static void read_idx(const char *path, unsigned header, void *data, unsigned bytes)
{
    gzFile file = gzopen(path, "rb");
    if (!file || gzseek(file, (z_off_t)header, SEEK_SET) < 0 || gzread(file, data, bytes) != (int)bytes) {
        fprintf(stderr, "fashion: cannot read %u bytes of %s\n", header + bytes, path);
        exit(1);
    }
    gzclose(file);
}

static int classify(const uint8_t *pixels)
{
    float image[PIXELS], score[CLASSES];
    for (int i = 0; i < PIXELS; i++)
        image[i] = (float)pixels[i] * PIXEL_SCALE + PIXEL_OFFSET;
    net_run(image, score);
    int best = 0;
    for (int k = 1; k < CLASSES; k++)
        best = score[k] > score[best] ? k : best;
    return best;
}

static double now_micros(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int run_all(FILE *classes)
{
    int right = 0;
    for (int i = 0; i < IMAGES; i++) {
        double start = now_micros();
        int found = classify(images[i]);
        micros[i] = now_micros() - start;
        right += found == labels[i];
        if (classes)
            fprintf(classes, "%d\n", found);
    }
    return right;
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: fashion IMAGES LABELS [CLASSES]\n");
        return 2;
    }
    read_idx(argv[1], 16, images, sizeof images);
    read_idx(argv[2], 8, labels, sizeof labels);
    FILE *classes = argc == 4 ? fopen(argv[3], "w") : NULL;
    int right = run_all(classes);
    if (argc == 4 && (!classes || fclose(classes) != 0)) {
        fprintf(stderr, "fashion: cannot write %s\n", argv[3]);
        return 1;
    }
    qsort(micros, IMAGES, sizeof micros[0], compare_doubles);
    printf("%d %.2f %.1f %d\n", IMAGES, 100.0 * right / IMAGES, micros[IMAGES / 2], (int)NET_ARENA_BYTES);
    return 0;
}
