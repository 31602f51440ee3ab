/* impulse.h - which inputs prove which weights. Part of the program that `ternc check` builds around generated code,
 * and of its unit test.
 *
 * Impulses stand on a lattice so wide that no output sees two of them. With every lattice position tried, each pair of
 * an output and a weight is met exactly once, and the accumulator then is that weight: at every edge and in every tail
 * lane of a vector. Several input channels share a run, as many as the layer's numbers hold exactly: channel k of them
 * carries 4^k, the accumulator is a sum of w[k] * 4^k, and no other ternary weights give the same sum. Which channel
 * carries which power turns from one lattice point to the next, so that reading another point's input is seen too. */
#ifndef TERNC_IMPULSE_H
#define TERNC_IMPULSE_H

#include <stdint.h>

/* One axis of a convolution (rows or columns). A fully connected layer has two of length 1. */
typedef struct Axis {
    int transposed;
    int64_t in, out, kernel, stride, dilation, pad;
} Axis;

/* What one layer is driven with: `count` patterns, one after the other. */
typedef struct Patterns {
    Axis rows, columns;
    int64_t groups, channels;      /* input channels of a group */
    int64_t row_step, column_step; /* of the lattice */
    int64_t shared;                /* channels that share a run, at most 15 */
    int64_t batches;               /* of so many channels */
    int64_t count;
} Patterns;

/* Pattern number `q` taken apart. Pattern 0 is silence: batch -1. */
typedef struct Impulse {
    int64_t batch, row, column; /* channels, position of the lattice */
} Impulse;

/* Distance between lattice points, the least with which no output sees two. Also the number of lattice positions worth
 * trying: never more than inputs. */
static int64_t axis_step(const Axis *a)
{
    int64_t reach = (a->kernel - 1) * a->dilation;
    int64_t step = a->transposed ? reach / a->stride + 1 : reach + 1;
    return step < a->in ? step : a->in;
}

/* The input that tap k of output o reads, or -1: padding, or between the strides of a transposed convolution. */
static int64_t axis_input(const Axis *a, int64_t o, int64_t k)
{
    int64_t i = o * a->stride - a->pad + k * a->dilation;
    if (a->transposed) {
        i = o + a->pad - k * a->dilation;
        if (i % a->stride)
            return -1;
        i /= a->stride;
    }
    return i >= 0 && i < a->in ? i : -1;
}

/* The tap through which output o sees the lattice at `position`, or -1. */
static int64_t axis_tap(const Axis *a, int64_t step, int64_t position, int64_t o)
{
    for (int64_t k = 0; k < a->kernel; k++) {
        int64_t i = axis_input(a, o, k);
        if (i >= 0 && i % step == position)
            return k;
    }
    return -1;
}

static Patterns patterns_make(Axis rows, Axis columns, int64_t groups, int64_t channels, int64_t shared)
{
    Patterns p = {rows, columns, groups, channels, axis_step(&rows), axis_step(&columns), shared, 0, 0};
    p.batches = (channels + shared - 1) / shared;
    p.count = 1 + p.batches * p.row_step * p.column_step;
    return p;
}

/* In run r (0 .. count-1) images and groups show different patterns, so that reading another image or group is seen;
 * over all runs each of them shows every pattern. */
static Impulse pattern_at(const Patterns *p, int64_t run, int64_t image, int64_t group)
{
    int64_t q = (run + image + group / p->shared) % p->count;
    Impulse m = {-1, 0, 0};
    if (q == 0)
        return m;
    q--;
    m.column = q % p->column_step;
    m.row = q / p->column_step % p->row_step;
    m.batch = q / (p->column_step * p->row_step);
    return m;
}

/* By how much the powers are turned at an input position of a group: different for neighbouring lattice points. */
static int64_t pattern_turn(const Patterns *p, int64_t group, int64_t row, int64_t column)
{
    return (group + row / p->row_step + 5 * (column / p->column_step)) % p->shared;
}

/* What input channel c of its group carries at lattice points of batch b: 0 or a power of 4. */
static int32_t pattern_value(const Patterns *p, int64_t batch, int64_t turn, int64_t c)
{
    if (batch < 0 || c / p->shared != batch)
        return 0;
    return (int32_t)1 << (2 * ((c + turn) % p->shared));
}

#endif
