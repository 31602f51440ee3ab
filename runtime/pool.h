/* pool.h - pooling of planes over windows. Sizes are depth, height, width. Typed: see tn.h. */
#include "box.h"
#include "order.h"

/* y[out] = max of x[out * stride - pad + k * dilation], each of `planes` planes. index, if not NULL, gets the
 * position of the maximum in the whole of x, the first one where several are equal. NaN is the largest. */
TN_KERNEL void TN(max_pool)(T *restrict y, int64_t *index, const T *x, int32_t planes, const int32_t *in,
                            const int32_t *out, const int32_t *kernel, const int32_t *stride, const int32_t *dilation,
                            const int32_t *pad)
{
    int32_t part[3][2], at = 0, base = 0;
    for (int32_t p = 0; p < planes; p++, base += in[0] * in[1] * in[2])
        for (int32_t o = 0; o < out[0] * out[1] * out[2]; o++, at++) {
            int32_t z = o / (out[1] * out[2]) * stride[0] - pad[0], r = o / out[2] % out[1] * stride[1] - pad[1];
            int32_t c = o % out[2] * stride[2] - pad[2], best = -1;
            tn_window_part(z, kernel[0], dilation[0], in[0], &part[0][0], &part[0][1]);
            tn_window_part(r, kernel[1], dilation[1], in[1], &part[1][0], &part[1][1]);
            tn_window_part(c, kernel[2], dilation[2], in[2], &part[2][0], &part[2][1]);
            for (int32_t i = part[0][0]; i < part[0][1]; i++)
                for (int32_t j = part[1][0]; j < part[1][1]; j++)
                    for (int32_t k = part[2][0]; k < part[2][1]; k++) {
                        int32_t q = ((z + i * dilation[0]) * in[1] + r + j * dilation[1]) * in[2] + c + k * dilation[2];
                        if (best < 0 || tn_above(x[base + q], x[best]))
                            best = base + q;
                    }
            y[at] = x[best];
            if (index)
                index[at] = best;
        }
}

/* y[i] = the larger of y[i] and x[i * step], i < n, in loops that compilers turn into vectors. */
TN_KERNEL void TN(max_row)(T *restrict y, const T *x, int32_t n, int32_t step)
{
    if (step == 1)
        for (int32_t i = 0; i < n; i++)
            y[i] = x[i] > y[i] ? x[i] : y[i];
    else if (step == 2)
        for (int32_t i = 0; i < n; i++)
            y[i] = x[2 * i] > y[i] ? x[2 * i] : y[i];
    else
        for (int32_t i = 0; i < n; i++)
            y[i] = x[i * step] > y[i] ? x[i * step] : y[i];
}

/* max_pool of planes of 8-bit numbers, without positions: a row for each tap. */
TN_KERNEL void TN(max_codes)(T *restrict y, const T *x, int32_t planes, int32_t ih, int32_t iw, int32_t oh, int32_t ow,
                             int32_t kh, int32_t kw, int32_t sh, int32_t sw, int32_t dh, int32_t dw, int32_t top,
                             int32_t left)
{
    for (int32_t p = 0; p < planes; p++, x += ih * iw)
        for (int32_t r = 0; r < oh; r++, y += ow) {
            for (int32_t c = 0; c < ow; c++)
                y[c] = (T)((T)-1 < 1 ? -128 : 0);
            for (int32_t k = 0; k < kh * kw; k++) {
                int32_t iy = r * sh - top + k / kw * dh, ix = k % kw * dw - left, first, end;
                tn_window_part(ix, ow, sw, iw, &first, &end);
                if (iy >= 0 && iy < ih && first < end)
                    TN(max_row)(y + first, x + iy * iw + first * sw + ix, end - first, sw);
            }
        }
}

/* y[out] = sum of x[out * stride - pad + k] / number of taps, each of `planes` planes. Taps in the padding count as
 * zero elements if count_pad, else not at all; what lies behind pad_end never counts. */
TN_KERNEL void TN(average_pool)(T *restrict y, const T *x, int32_t planes, const int32_t *in, const int32_t *out,
                                const int32_t *kernel, const int32_t *stride, const int32_t *pad,
                                const int32_t *pad_end, int32_t count_pad)
{
    int32_t part[3][2];
    for (int32_t p = 0; p < planes; p++, x += in[0] * in[1] * in[2])
        for (int32_t o = 0; o < out[0] * out[1] * out[2]; o++) {
            int32_t start[3] = {o / (out[1] * out[2]), o / out[2] % out[1], o % out[2]}, count = 1;
            for (int32_t a = 0; a < 3; a++) {
                start[a] = start[a] * stride[a] - pad[a];
                int32_t padded = in[a] + pad_end[a] - start[a];
                tn_window_part(start[a], kernel[a], 1, in[a], &part[a][0], &part[a][1]);
                count *= !count_pad ? part[a][1] - part[a][0] : padded < kernel[a] ? padded : kernel[a];
            }
            T sum = 0;
            for (int32_t i = part[0][0]; i < part[0][1]; i++)
                for (int32_t j = part[1][0]; j < part[1][1]; j++)
                    for (int32_t k = part[2][0]; k < part[2][1]; k++)
                        sum += x[((start[0] + i) * in[1] + start[1] + j) * in[2] + start[2] + k];
            *y++ = sum / (T)count;
        }
}

/* y[p] = max of the `size` elements of plane p; NaN if one of them is */
TN_KERNEL void TN(global_max)(T *restrict y, const T *x, int32_t planes, int32_t size)
{
    for (int32_t p = 0; p < planes; p++, x += size) {
        T best = x[0];
        for (int32_t i = 1; i < size; i++)
            if (tn_above(x[i], best))
                best = x[i];
        y[p] = best;
    }
}

/* y[p] = mean of the `size` elements of plane p */
TN_KERNEL void TN(global_average)(T *restrict y, const T *x, int32_t planes, int32_t size)
{
    for (int32_t p = 0; p < planes; p++, x += size) {
        T sum = 0;
        for (int32_t i = 0; i < size; i++)
            sum += x[i];
        y[p] = sum / (T)size;
    }
}

/* |x|^p */
TN_KERNEL T TN(abs_power)(T x, int32_t p)
{
    return p == 1 ? TM(fabs)(x) : p == 2 ? x * x : TM(pow)(TM(fabs)(x), (T)p);
}

/* y[out] = (sum of |x[out * stride - pad + k * dilation]|^p)^(1/p), each of `planes` planes. */
TN_KERNEL void TN(lp_pool)(T *restrict y, const T *x, int32_t planes, const int32_t *in, const int32_t *out,
                           const int32_t *kernel, const int32_t *stride, const int32_t *dilation, const int32_t *pad,
                           int32_t p)
{
    int32_t part[3][2], start[3];
    for (int32_t plane = 0; plane < planes; plane++, x += in[0] * in[1] * in[2])
        for (int32_t o = 0; o < out[0] * out[1] * out[2]; o++) {
            int32_t at[3] = {o / (out[1] * out[2]), o / out[2] % out[1], o % out[2]};
            for (int32_t a = 0; a < 3; a++) {
                start[a] = at[a] * stride[a] - pad[a];
                tn_window_part(start[a], kernel[a], dilation[a], in[a], &part[a][0], &part[a][1]);
            }
            T sum = 0;
            for (int32_t i = part[0][0]; i < part[0][1]; i++)
                for (int32_t j = part[1][0]; j < part[1][1]; j++)
                    for (int32_t k = part[2][0]; k < part[2][1]; k++) {
                        int32_t row = (start[0] + i * dilation[0]) * in[1] + start[1] + j * dilation[1];
                        sum += TN(abs_power)(x[row * in[2] + start[2] + k * dilation[2]], p);
                    }
            *y++ = p == 1 ? sum : p == 2 ? TM(sqrt)(sum) : TM(pow)(sum, 1 / (T)p);
        }
}

/* y = 0 but y[index[i]] = x[i]; an index outside of y's `size` elements is left out. */
TN_KERNEL void TN(max_unpool)(T *restrict y, const T *x, const int64_t *index, int32_t count, int32_t size)
{
    for (int32_t i = 0; i < size; i++)
        y[i] = 0;
    for (int32_t i = 0; i < count; i++)
        if (index[i] >= 0 && index[i] < size)
            y[index[i]] = x[i];
}
