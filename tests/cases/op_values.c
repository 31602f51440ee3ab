/* op_values.c - rows of the case table as graphs, and values for their inputs. */
#include "cases/op_values.h"
#include "support/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Graph *load_row(const OpCase *row)
{
    Graph *g = text_read(row->name, row->text)->graph;
    check_supported(g);
    pass_infer(g);
    return g;
}

double draw_unit(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

void fill_random(const OpCase *row, Type t, void *data, uint64_t *seed)
{
    double low = row->low, high = row->high;
    if (low == 0 && high == 0) {
        low = -1;
        high = 1;
    }
    for (int64_t i = 0; i < type_elems(t); i++) {
        double u = draw_unit(seed), v = low + (high - low) * u;
        if (t.dtype == DT_BOOL)
            v = u < 0.5;
        else if (!dtype_is_float(t.dtype))
            v = floor(low + (high - low + 1) * u);
        if (t.dtype == DT_U8 || t.dtype == DT_U16 || t.dtype == DT_U32 || t.dtype == DT_U64)
            v = fabs(v);
        elem_set(data, t.dtype, i, v);
    }
}

const char *parse_values(const char *s, Type t, void *data)
{
    int64_t count = type_elems(t);
    for (int64_t i = 0; i < count; i++) {
        char *end;
        double v = strtod(s, &end);
        if (end == s)
            return NULL;
        elem_set(data, t.dtype, i, v);
        s = end;
    }
    s += strspn(s, " ");
    return *s == ';' ? s + 1 : *s ? NULL : s;
}
