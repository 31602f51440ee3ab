/* train_data.c - the order of samples and their random changes. Everything is drawn by counter from the seed,
 * the epoch and the sample, so that nothing of it has to be saved for --resume. */
#include "train/training.h"

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

static void flip_rows(const DataFeed *f, int64_t c, float *x)
{
    for (int64_t row = 0; row < f->h; row++)
        for (int64_t a = row * f->w, b = a + f->w - 1; a < b; a++, b--) {
            float *left = &x[feed_place(f, c, a)], *right = &x[feed_place(f, c, b)], keep = *left;
            *left = *right;
            *right = keep;
        }
}

/* The channel moved by (dy, dx); what comes in is black. */
static void shift_plane(const DataFeed *f, int64_t c, float *x, float *room, int64_t dy, int64_t dx)
{
    float black = (float)((0 - f->mean[c]) / f->std[c]);
    for (int64_t i = 0; i < f->hw; i++) {
        int64_t y = i / f->w + dy, k = i % f->w + dx;
        bool inside = y >= 0 && y < f->h && k >= 0 && k < f->w;
        room[i] = inside ? x[feed_place(f, c, y * f->w + k)] : black;
    }
    for (int64_t i = 0; i < f->hw; i++)
        x[feed_place(f, c, i)] = room[i];
}

void draw_sample(const DataFeed *f, const TrainOptions *o, int64_t i, uint64_t seed, float *x)
{
    data_sample(f, i, x);
    bool flip = o->flip && random_unit(seed, 0) < 0.5;
    for (int64_t c = 0; c < f->c && flip; c++)
        flip_rows(f, c, x);
    if (!o->crop)
        return;
    int64_t range = 2 * o->crop + 1;
    int64_t dy = (int64_t)(random_unit(seed, 1) * (double)range) - o->crop;
    int64_t dx = (int64_t)(random_unit(seed, 2) * (double)range) - o->crop;
    float *room = NEW_ARRAY(float, f->hw);
    for (int64_t c = 0; c < f->c; c++)
        shift_plane(f, c, x, room, dy, dx);
}
