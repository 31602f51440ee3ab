/* nms.h - choosing boxes: of those that overlap, the one with the highest score. */
#include "tn.h"

/* Intersection over union of two boxes: x, y of the center, width, height (center 1), or two opposite corners. */
TN_KERNEL float tn_overlap(const float *a, const float *b, int32_t center)
{
    float area[2] = {1, 1}, common = 1;
    for (int32_t k = 0; k < 2; k++) {
        float a0 = center ? a[k] - a[k + 2] / 2 : a[k], a1 = center ? a[k] + a[k + 2] / 2 : a[k + 2];
        float b0 = center ? b[k] - b[k + 2] / 2 : b[k], b1 = center ? b[k] + b[k + 2] / 2 : b[k + 2];
        float low_a = a0 < a1 ? a0 : a1, high_a = a0 < a1 ? a1 : a0, low_b = b0 < b1 ? b0 : b1;
        float high_b = b0 < b1 ? b1 : b0, low = low_a > low_b ? low_a : low_b, high = high_a < high_b ? high_a : high_b;
        area[0] *= high_a - low_a;
        area[1] *= high_b - low_b;
        common *= high > low ? high - low : 0;
    }
    return common > 0 ? common / (area[0] + area[1] - common) : 0;
}

/* The box behind box `at` (-1: the first) in falling order of scores, equal ones by position; -1: no other one has more
 * than `least`. */
TN_KERNEL int32_t tn_next_box(const float *scores, int32_t count, int32_t at, float least)
{
    int32_t next = -1;
    for (int32_t i = 0; i < count; i++) {
        int behind = at < 0 || scores[i] < scores[at] || (i > at && scores[i] <= scores[at]);
        if (behind && scores[i] > least && (next < 0 || scores[i] > scores[next]))
            next = i;
    }
    return next;
}

/* Rows (batch, class, box) of the boxes that overlap none chosen before by more than `overlap`, at most `most` for each
 * batch and class and `rows` in all; what is left of y [rows][3] is -1. boxes [batches][count][4], scores
 * [batches][classes][count]. */
TN_KERNEL void tn_nms(int64_t *restrict y, int32_t rows, const float *boxes, const float *scores, int32_t batches,
                      int32_t classes, int32_t count, int64_t most, float overlap, float least, int32_t center)
{
    int32_t row = 0;
    for (int32_t k = 0; k < batches * classes; k++, scores += count) {
        const float *box = boxes + (size_t)(k / classes) * (size_t)count * 4;
        int32_t first = row, at = -1;
        while (row < rows && row - first < most && (at = tn_next_box(scores, count, at, least)) >= 0) {
            int32_t i = first;
            while (i < row && !(tn_overlap(box + y[(size_t)i * 3 + 2] * 4, box + (size_t)at * 4, center) > overlap))
                i++;
            if (i < row)
                continue;
            int64_t *to = y + (size_t)row++ * 3;
            to[0] = k / classes;
            to[1] = k % classes;
            to[2] = at;
        }
    }
    for (int32_t i = 3 * row; i < 3 * rows; i++)
        y[i] = -1;
}
