/* loss.h - losses of classification. Typed: see tn.h. */
#include "tn.h"

/* Class i of a list of int64_t (wide 1) or int32_t (wide 0) */
TN_KERNEL int64_t TN(label)(const void *labels, int32_t i, int32_t wide)
{
    return wide ? ((const int64_t *)labels)[i] : ((const int32_t *)labels)[i];
}

/* loss = -x[n][c][i] * weight[c], c = labels[n][i], or 0 where c is `ignore` (has_ignore 1); x [outer][classes][inner];
 * weight may be NULL, for 1. y = all losses (mode 0), their sum (1), or that over the sum of their weights (2). A class
 * that is out of range becomes the nearest one. */
TN_KERNEL void TN(nll_loss)(T *restrict y, const T *x, const void *labels, int32_t wide, const T *weight, int32_t outer,
                            int32_t classes, int32_t inner, int32_t has_ignore, int64_t ignore, int32_t mode)
{
    T sum = 0, total = 0;
    for (int32_t i = 0; i < outer * inner; i++) {
        int64_t c = TN(label)(labels, i, wide);
        int32_t counts = !(has_ignore && c == ignore);
        c = c < 0 ? 0 : c >= classes ? classes - 1 : c;
        T w = !counts ? 0 : weight ? weight[c] : 1;
        T loss = counts ? -x[(i / inner * classes + (int32_t)c) * inner + i % inner] * w : 0;
        sum += loss;
        total += w;
        if (mode == 0)
            y[i] = loss;
    }
    if (mode)
        *y = mode == 1 ? sum : sum / total;
}
