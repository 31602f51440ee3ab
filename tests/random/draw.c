/* draw.c - choices, and tensors and nodes made of them. */
#include "random/draw.h"

#include <string.h>

/* ---- choices ---- */

static int64_t take(Draw *d, int64_t count, int64_t wanted)
{
    Choices *c = d->out;
    if (c->count == MAX_CHOICES)
        return 0;
    uint64_t v = wanted >= 0 ? (uint64_t)wanted : random_bits(d->seed, (uint64_t)c->count) >> 16;
    if (d->given)
        v = c->count < d->given->count ? d->given->made[c->count] : 0;
    v %= (uint64_t)count;
    c->made[c->count++] = (uint16_t)v;
    return (int64_t)v;
}

int64_t draw(Draw *d, int64_t low, int64_t high)
{
    return high > low ? low + take(d, high - low + 1, -1) : low;
}

int64_t draw_or(Draw *d, int64_t low, int64_t high, int64_t wanted)
{
    return high > low ? low + take(d, high - low + 1, wanted - low) : low;
}

bool maybe(Draw *d, int one_in)
{
    return draw(d, 0, one_in - 1) == one_in - 1;
}

double value(Draw *d)
{
    static const double values[] = {1, 0.5, 0.1, 2, 0.25, 1.5, 3};
    return values[draw(d, 0, 6)];
}

int64_t size(Draw *d)
{
    static const int64_t sizes[] = {1, 2, 3, 4, 2, 3, 4, 5, 6, 8, 7, 1};
    return d->zeros && maybe(d, 8) ? 0 : sizes[draw(d, 0, 11)];
}

/* ---- tensors ---- */

static const char *new_name(Draw *d)
{
    static const char *const odd[] = {"t",     "x/1:0", "int",    "net",      "a b",           "0",
                                      "float", "in_t",  "out_t",  "\xc3\xbc", "t_2",           "NET",
                                      "arena", "_t",    "memcpy", "-",        "layer0_weights"};
    return d->odd ? odd[draw(d, 0, 16)] : "t";
}

static void add_to_pool(Draw *d, Tensor *t)
{
    if (d->num_pool < MAX_POOL)
        d->pool[d->num_pool++] = t;
}

Tensor *new_input(Draw *d, Type t)
{
    Graph *g = d->g;
    Tensor *x = graph_tensor(g, new_name(d), t);
    Tensor **more = NEW_ARRAY(Tensor *, g->num_inputs + 1);
    if (g->num_inputs)
        memcpy(more, g->inputs, (size_t)g->num_inputs * sizeof *more);
    more[g->num_inputs++] = x;
    g->inputs = more;
    add_to_pool(d, x);
    return x;
}

static Tensor *filled(Draw *d, Type t, double low, double high)
{
    bool whole = !dtype_is_float(t.dtype);
    void *data = mem_alloc(type_bytes(t) + 1);
    uint64_t seed = (uint64_t)draw(d, 0, 999);
    for (int64_t i = 0; i < type_elems(t); i++) {
        double u = random_unit(seed, (uint64_t)i);
        elem_set(data, t.dtype, i,
                 whole ? low + (double)(int64_t)(u * (high - low + 1)) : low + u * (high - low));
    }
    return graph_const(d->g, new_name(d), t, data);
}

Tensor *constant_in(Draw *d, Type t, double low, double high)
{
    return filled(d, t, low, high);
}

Tensor *constant(Draw *d, Type t)
{
    if (t.dtype == DT_BOOL)
        return filled(d, t, 0, 1);
    bool negative = dtype_is_float(t.dtype) || t.dtype == DT_I64 || t.dtype == DT_I32 || t.dtype == DT_I8;
    switch (draw(d, 0, 5)) {
    case 0: return filled(d, t, 1, 1);
    case 1: return filled(d, t, negative ? -3 : 0, 3);
    case 2: return filled(d, t, 0, 2);
    default: return filled(d, t, negative ? -1 : 0, 1);
    }
}

Tensor *weights(Draw *d, Type t)
{
    return maybe(d, 10) ? of_type(d, t) : constant(d, t);
}

static Tensor *new_tensor(Draw *d, Type t)
{
    if (!maybe(d, 4))
        return new_input(d, t);
    Tensor *c = constant(d, t);
    add_to_pool(d, c);
    return c;
}

Tensor *of_type(Draw *d, Type t)
{
    for (int i = d->num_pool - 1; i >= 0; i--)
        if (type_equal(d->pool[i]->type, t) && !maybe(d, 3))
            return d->pool[i];
    return new_tensor(d, t);
}

static DType draw_dtype(Draw *d, unsigned dtypes)
{
    DType have[DT_F16 + 1];
    int count = 0;
    for (DType t = DT_F32; t < DT_F16; t++)
        if (dtypes & BIT(t))
            have[count++] = t;
    int64_t k = draw(d, 0, 7);
    return have[k < 5 ? 0 : draw(d, 0, count - 1)];
}

Tensor *any(Draw *d, unsigned dtypes, int low, int high)
{
    Tensor *fits[MAX_POOL];
    int count = 0;
    for (int i = d->num_pool - 1; i >= 0; i--) {
        Type t = d->pool[i]->type;
        if (dtypes & BIT(t.dtype) && t.rank >= low && t.rank <= high)
            fits[count++] = d->pool[i];
    }
    int64_t how = d->chain ? draw_or(d, 0, 7, 0) : draw(d, 0, 7);
    if (count && how < 7)
        return fits[how < 5 ? 0 : draw(d, 0, count - 1)];
    Type t = {.dtype = draw_dtype(d, dtypes), .rank = (int)draw(d, low, high)};
    for (int i = 0; i < t.rank; i++)
        t.dims[i] = size(d);
    return new_tensor(d, t);
}

Tensor *ints(Draw *d, int count, const int64_t *v)
{
    return graph_const_i64(d->g, new_name(d), count, v);
}

Tensor *scalar(Draw *d, DType dtype, double v)
{
    void *data = mem_alloc(8);
    elem_set(data, dtype, 0, v);
    return graph_const(d->g, new_name(d), type_make(dtype, 0, NULL), data);
}

Tensor *indices(Draw *d, int rank, const int64_t *dims, int64_t low, int64_t high)
{
    Type t = type_make(maybe(d, 3) ? DT_I32 : DT_I64, rank, dims);
    if (low <= 0 && high >= 1 && maybe(d, 2))
        return new_input(d, t);
    return filled(d, t, (double)low, (double)high);
}

Type smaller(Draw *d, Type t)
{
    int drop = (int)draw(d, 0, 3) % (t.rank + 1);
    Type s = {.dtype = t.dtype, .rank = t.rank - drop};
    for (int i = 0; i < s.rank; i++)
        s.dims[i] = maybe(d, 3) ? 1 : t.dims[i + drop];
    return s;
}

int64_t axis_of(Draw *d, const Tensor *t)
{
    int64_t axis = draw(d, 0, t->type.rank - 1);
    return maybe(d, 3) ? axis - t->type.rank : axis;
}

/* ---- nodes ---- */

Node *node(Draw *d, OpKind op, int num_out, int num_in, Tensor *const *in)
{
    bool trim = d->oracle || !maybe(d, 4);
    while (trim && num_in && !in[num_in - 1])
        num_in--;
    Node *n = node_new(op, d->odd && !d->oracle && maybe(d, 2) ? new_name(d) : "", num_in, num_out);
    memcpy(n->in, in, (size_t)num_in * sizeof(Tensor *));
    for (int i = 0; i < num_out; i++)
        n->out[i] = graph_tensor(d->g, new_name(d), (Type){.rank = -1});
    return n;
}

void float_attrs(Draw *d, Node *n)
{
    for (const AttrSpec *a = op_def(n->op)->attrs; a->name; a++)
        if (a->type == ATTR_FLOAT && maybe(d, 2))
            attr_set_float(n, a->name, (float)value(d));
}

void flag(Draw *d, Node *n, const char *name)
{
    int64_t v = draw(d, 0, 2);
    if (v)
        attr_set_int(n, name, v - 1);
}

void choose_string(Draw *d, Node *n, const char *name, int count, const char *const *names)
{
    int64_t k = draw(d, 0, count);
    if (k)
        attr_set_string(n, name, names[k - 1]);
}

static bool fits(const Node *n)
{
    for (int i = 0; i < n->num_out; i++)
        if (n->out[i] && (!type_known(n->out[i]->type) || type_elems(n->out[i]->type) > 5000))
            return false;
    return true;
}

void place_as_is(Draw *d, Graph *to, Node *n)
{
    node_append(to, n);
    for (int i = 0; i < n->num_out && to == d->g; i++)
        if (n->out[i] && type_known(n->out[i]->type))
            add_to_pool(d, n->out[i]);
}

bool place(Draw *d, Node *n)
{
    Trap t;
    if (CATCH(&t)) {
        if (!d->refused.code) {
            d->refused = t;
            d->refused_node = n;
        }
        return false;
    }
    op_def(n->op)->infer(d->g, n);
    trap_end();
    if (!fits(n))
        return false;
    place_as_is(d, d->g, n);
    return true;
}
