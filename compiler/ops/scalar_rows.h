/* scalar_rows.h - the kernels of one element type as loops over a row. Included by scalar.c once per type,
 * with T and TS (and TF) as runtime/tn.h says and KERNELS(R1, R2, R3) the list of the type's kernels:
 * R1(kernel, result, argument), R2 with two and R3 with three arguments. */

#define ROW1(kernel, R, A)                                                                                   \
    static void TN(row_##kernel)(int64_t n, void *y, const void *const *x, const int64_t *step)              \
    {                                                                                                        \
        for (int64_t i = 0; i < n; i++)                                                                      \
            ((R *)y)[i] = TN(kernel)(((const A *)x[0])[i * step[0]]);                                        \
    }
#define ROW2(kernel, R, A, B)                                                                                \
    static void TN(row_##kernel)(int64_t n, void *y, const void *const *x, const int64_t *step)              \
    {                                                                                                        \
        for (int64_t i = 0; i < n; i++)                                                                      \
            ((R *)y)[i] = TN(kernel)(((const A *)x[0])[i * step[0]], ((const B *)x[1])[i * step[1]]);        \
    }
#define ROW3(kernel, R, A, B, C)                                                                             \
    static void TN(row_##kernel)(int64_t n, void *y, const void *const *x, const int64_t *step)              \
    {                                                                                                        \
        for (int64_t i = 0; i < n; i++)                                                                      \
            ((R *)y)[i] = TN(kernel)(((const A *)x[0])[i * step[0]], ((const B *)x[1])[i * step[1]],         \
                                     ((const C *)x[2])[i * step[2]]);                                        \
    }
KERNELS(ROW1, ROW2, ROW3)
#undef ROW1
#undef ROW2
#undef ROW3

#define ENTRY(kernel, ...) {#kernel, TN(row_##kernel)},
static const ScalarEntry TN(scalar_entries)[] = {KERNELS(ENTRY, ENTRY, ENTRY){NULL, NULL}};
#undef ENTRY

#undef T
#undef TS
#undef TF
