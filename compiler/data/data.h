/* data.h - arrays and data sets in files. */
#ifndef TERNC_DATA_H
#define TERNC_DATA_H

#include "graph/options.h"

/* ---- npy.c ---- */

/* Arrays of NumPy's .npy format: any byte order and element order in, little-endian C order out; float16 is
 * widened. */
Tensor *npy_read(const char *path);
Tensor *npy_parse(const char *path, const uint8_t *data, size_t len); /* path: for messages; data must stay */
void npy_write(const char *path, Type t, const void *data);

/* ---- dataset.c ---- */

/* Samples, and a class per sample. */
typedef struct Dataset {
    const char *spec;      /* for messages */
    int64_t count;         /* samples */
    Type sample;           /* element type and shape of one, as the file has it */
    const uint8_t *values; /* count samples, dense */
    const int64_t *labels; /* NULL: none */
    const float *targets;  /* in place of labels, target_size numbers per sample; NULL: none */
    int64_t target_size;
    ImageLayout layout; /* where the format says it, else unsaid */
} Dataset;
Dataset *data_open(const char *spec);
/* Fails on a label that the model has not. */
void data_check_labels(const Dataset *d, const Graph *g, int64_t classes);

/* ---- feed.c ---- */

/* How samples become a model's input: checked once, then data_sample writes sample i as type_elems(input)
 * floats, (raw * scale - mean) / std, with the channels where the model has them. */
typedef struct DataFeed {
    const Dataset *data;
    Type input;        /* of the model */
    int64_t c, hw;     /* channels, positions per channel */
    int64_t inner;     /* of the model's input: elements from one channel to the next */
    int64_t own_inner; /* of the sample: likewise */
    int64_t h, w;      /* rows and columns of the positions; 0: they are no image, or it is not known */
    double scale;
    const double *mean, *std; /* [c] */
} DataFeed;
DataFeed *data_feed(const Dataset *d, const Graph *g, const DataOptions *o); /* the model has one input */
DataFeed *data_feed_input(const Dataset *d, const Graph *g, const Tensor *x, const DataOptions *o);
void data_sample(const DataFeed *f, int64_t i, float *x);
int64_t feed_place(const DataFeed *f, int64_t c, int64_t k); /* of position k of a channel in the input */

#endif
