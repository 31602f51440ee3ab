/* sample.h - images seen between their pixels: at the positions of a grid, and inside of boxes. Typed: see tn.h. */
#include "box.h"

/* Where a grid's g lies along an axis of `size` pixels: -1 and 1 are the middles of the outermost pixels if `corners`,
 * else their outer edges. `whole`: the nearest pixel. What lies outside of the ends stays there with border 0, comes to
 * the outermost pixel with 1, and is reflected at the ends with 2. What is far outside, or NaN, comes near. */
TN_KERNEL T TN(grid_position)(T g, int32_t size, int32_t whole, int32_t border, int32_t corners)
{
    T last = (T)(size - 1), low = corners ? 0 : (T)-0.5, range = last - 2 * low;
    T p = corners ? (g + 1) / 2 * last : ((g + 1) * (T)size - 1) / 2;
    p = whole ? TM(rint)(p) : p;
    if (border == 1)
        p = p < 0 ? 0 : p > last ? last : p;
    if (border == 2 && (p < low || p > low + range)) {
        T d = range > 0 ? TM(fmod)(TM(fabs)(p - low), 2 * range) : 0;
        p = low + (d > range ? 2 * range - d : d);
    }
    return p > -4 ? (p < last + 4 ? p : last + 4) : -4;
}

/* The first of `taps` pixels around position p, and their weights: 1, or linear between 2, or Keys' cubic with -0.75
 * between 4. */
TN_KERNEL int32_t TN(grid_taps)(T p, int32_t taps, T *weight)
{
    const T a = (T)-0.75, t = p - TM(floor)(p), u = 1 - t;
    int32_t first = (int32_t)TM(floor)(p);
    weight[0] = taps == 1 ? 1 : u;
    weight[1] = t;
    if (taps < 4)
        return first;
    weight[0] = ((a * (1 + t) - 5 * a) * (1 + t) + 8 * a) * (1 + t) - 4 * a;
    weight[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
    weight[2] = ((a + 2) * u - (a + 3)) * u * u + 1;
    weight[3] = ((a * (1 + u) - 5 * a) * (1 + u) + 8 * a) * (1 + u) - 4 * a;
    return first - 1;
}

/* Sum of weight times pixel over taps x taps pixels from (row, column) of x [in[0]][in[1]]. A pixel outside is 0, with
 * a border the nearest one inside. */
TN_KERNEL T TN(grid_sum)(const T *x, const int32_t *in, int32_t row, int32_t column, int32_t taps, int32_t border,
                         const T *wy, const T *wx)
{
    T sum = 0;
    for (int32_t i = 0; i < taps; i++)
        for (int32_t j = 0; j < taps; j++) {
            int32_t r = tn_pad_position(row + i, in[0], 0), c = tn_pad_position(column + j, in[1], 0);
            if (border || (r == row + i && c == column + j))
                sum += wy[i] * wx[j] * x[r * in[1] + c];
        }
    return sum;
}

/* y[b][c][q] = x[b][c] at grid[b][q] = {column, row}; x [batch][channels][in[0]][in[1]], q < positions. */
TN_KERNEL void TN(grid_sample)(T *restrict y, const T *x, const T *grid, int32_t batch, int32_t channels,
                               const int32_t *in, int32_t positions, int32_t taps, int32_t border, int32_t corners)
{
    T wy[4] = {0}, wx[4] = {0};
    const size_t plane = (size_t)in[0] * (size_t)in[1], results = (size_t)channels * (size_t)positions;
    for (int32_t b = 0; b < batch; b++, y += results, x += (size_t)channels * plane)
        for (int32_t q = 0; q < positions; q++, grid += 2) {
            T r = TN(grid_position)(grid[1], in[0], taps == 1, border, corners);
            T c = TN(grid_position)(grid[0], in[1], taps == 1, border, corners);
            int32_t row = TN(grid_taps)(r, taps, wy), column = TN(grid_taps)(c, taps, wx);
            for (int32_t k = 0; k < channels; k++)
                y[k * positions + q] = TN(grid_sum)(x + (size_t)k * plane, in, row, column, taps, border, wy, wx);
        }
}

/* How many samples a bin of that size takes along an axis: one for each pixel, at most 1024. */
TN_KERNEL int32_t TN(roi_samples)(T size)
{
    T n = TM(ceil)(size);
    return n >= 1 ? (n < 1024 ? (int32_t)n : 1024) : 0;
}

/* x [in[0]][in[1]] at (r, c), interpolated between four pixels; 0 more than one pixel outside. */
TN_KERNEL T TN(roi_value)(const T *x, const int32_t *in, T r, T c)
{
    if (!(r >= -1 && r <= (T)in[0] && c >= -1 && c <= (T)in[1]))
        return 0;
    r = r < 0 ? 0 : r > (T)(in[0] - 1) ? (T)(in[0] - 1) : r;
    c = c < 0 ? 0 : c > (T)(in[1] - 1) ? (T)(in[1] - 1) : c;
    int32_t i = (int32_t)r, j = (int32_t)c, below = i + 1 < in[0] ? in[1] : 0, right = j + 1 < in[1];
    T v = r - (T)i, u = c - (T)j;
    const T *p = x + (size_t)i * (size_t)in[1] + j;
    return (1 - v) * ((1 - u) * p[0] + u * p[right]) + v * ((1 - u) * p[below] + u * p[below + right]);
}

/* y[k][c][h][w] = mean of the samples in bin (h, w) of box k of image index[k]; rois[k] = {left, top, right, bottom}
 * times `scale`. half: pixels' middles lie at halves; else boxes have at least size 1. x
 * [batch][channels][in[0]][in[1]], y [count][channels][out[0]][out[1]]; samples 0: as many as a bin has pixels. */
TN_KERNEL void TN(roi_align)(T *restrict y, const T *x, const T *rois, const int64_t *index, int32_t count,
                             int32_t batch, int32_t channels, const int32_t *in, const int32_t *out, int32_t samples,
                             T scale, int32_t half)
{
    const size_t size = (size_t)in[0] * (size_t)in[1];
    for (int32_t k = 0; k < count; k++, rois += 4) {
        T start[2], step[2], offset = half ? (T)0.5 : 0;
        int32_t n[2], image = index[k] < 0 ? 0 : index[k] < batch ? (int32_t)index[k] : batch - 1;
        for (int32_t a = 0; a < 2; a++) {
            start[a] = rois[1 - a] * scale - offset;
            T length = rois[3 - a] * scale - offset - start[a];
            step[a] = (half || length > 1 ? length : 1) / (T)out[a];
            n[a] = samples > 0 ? samples : TN(roi_samples)(step[a]);
        }
        for (int32_t p = 0; p < channels * out[0] * out[1]; p++) {
            const T *plane = x + (size_t)(image * channels + p / (out[0] * out[1])) * size;
            T top = start[0] + (T)(p / out[1] % out[0]) * step[0], left = start[1] + (T)(p % out[1]) * step[1], sum = 0;
            for (int32_t i = 0; i < n[0]; i++)
                for (int32_t j = 0; j < n[1]; j++)
                    sum += TN(roi_value)(plane, in, top + ((T)i + (T)0.5) * step[0] / (T)n[0],
                                         left + ((T)j + (T)0.5) * step[1] / (T)n[1]);
            *y++ = n[0] && n[1] ? sum / (T)(n[0] * n[1]) : 0;
        }
    }
}
