/* train_data.c - the order of samples and their random changes. Everything is drawn by counter from the seed,
 * the epoch and the sample, so that nothing of it has to be saved for --resume. */
#include "train/training.h"

#include <string.h>

/* Fisher and Yates */
void order_samples(int64_t *order, const Source *s, uint64_t seed, int64_t epoch)
{
    uint64_t key = random_bits(seed, (uint64_t)epoch);
    for (int64_t i = 0; i < s->count; i++)
        order[i] = s->first + i;
    for (int64_t i = s->count - 1; i > 0; i--) {
        int64_t j = (int64_t)(random_unit(key, (uint64_t)i) * (double)(i + 1)), keep = order[i];
        order[i] = order[j];
        order[j] = keep;
    }
}

static void flip_rows(float *x, int64_t rows, int64_t width)
{
    for (int64_t r = 0; r < rows; r++, x += width)
        for (int64_t a = 0, b = width - 1; a < b; a++, b--) {
            float keep = x[a];
            x[a] = x[b];
            x[b] = keep;
        }
}

/* The plane moved by (dy, dx); what comes in is `fill`. */
static void shift_plane(float *x, float *room, int64_t h, int64_t w, int64_t dy, int64_t dx, float fill)
{
    for (int64_t i = 0; i < h * w; i++) {
        int64_t y = i / w + dy, k = i % w + dx;
        room[i] = y >= 0 && y < h && k >= 0 && k < w ? x[y * w + k] : fill;
    }
    memcpy(x, room, (size_t)(h * w) * sizeof *x);
}

static float black(const DataFeed *f, int64_t channel)
{
    int64_t c = channel < f->c ? channel : 0;
    return (float)((0 - f->mean[c]) / f->std[c]);
}

void draw_sample(const DataFeed *f, const TrainOptions *o, int64_t i, uint64_t seed, float *x)
{
    data_sample(f, i, x);
    Type t = f->input;
    if (!o->flip && !o->crop)
        return;
    int64_t h = t.dims[t.rank - 2], w = t.dims[t.rank - 1], planes = type_elems(t) / (h * w);
    if (o->flip && random_unit(seed, 0) < 0.5)
        flip_rows(x, planes * h, w);
    if (!o->crop)
        return;
    int64_t range = 2 * o->crop + 1;
    int64_t dy = (int64_t)(random_unit(seed, 1) * (double)range) - o->crop;
    int64_t dx = (int64_t)(random_unit(seed, 2) * (double)range) - o->crop;
    float *room = NEW_ARRAY(float, h *w);
    for (int64_t p = 0; p < planes; p++)
        shift_plane(x + p * h * w, room, h, w, dy, dx, black(f, p));
}
