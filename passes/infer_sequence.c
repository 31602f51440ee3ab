/* infer_sequence.c - sequences are lists of tensors that are known while types are inferred, and nothing at
 * run time: operators on them become what they do to the elements. Positions and lengths must be known, so
 * they are constants. */
#include "infer.h"
#include "ops/ops.h"

#include <string.h>

typedef struct Sequence {
    Tensor **items;
    int count;
} Sequence;

static Sequence *find_sequence(const Walk *w, const Tensor *t)
{
    return t && t->id < w->cap_sequences ? w->sequences[t->id] : NULL;
}

bool is_sequence_node(const Walk *w, const Node *n)
{
    switch (n->op) {
    case OP_SequenceEmpty:
    case OP_SequenceConstruct:
    case OP_SequenceInsert:
    case OP_SequenceErase:
    case OP_SequenceAt:
    case OP_SequenceLength:
    case OP_SplitToSequence:
    case OP_ConcatFromSequence: return true;
    case OP_Identity: return find_sequence(w, n->in[0]) != NULL;
    default: return false;
    }
}

static const Sequence *sequence_of(const Walk *w, const Node *n)
{
    const Sequence *s = find_sequence(w, n->in[0]);
    if (!s)
        fail_node(w->g, n, "input '%s' is not a sequence", n->in[0]->name);
    return s;
}

/* The node's output, a sequence with room for count items. */
static Sequence *new_sequence(Walk *w, const Node *n, int count)
{
    const Tensor *t = n->out[0];
    if (walk_is_output(w, t))
        fail_node(w->g, n, "unsupported: output '%s' of the model is a sequence", t->name);
    if (t->id >= w->cap_sequences) {
        int cap = 2 * w->g->num_tensors;
        Sequence **more = NEW_ARRAY(Sequence *, cap);
        if (w->cap_sequences)
            memcpy(more, w->sequences, (size_t)w->cap_sequences * sizeof *more);
        w->sequences = more;
        w->cap_sequences = cap;
    }
    enum { MAX_TOTAL = 1 << 22 };
    w->sequence_items += count;
    if (w->sequence_items > MAX_TOTAL)
        fail_node(w->g, n, "unsupported: sequences of more than %d elements in all", MAX_TOTAL);
    Sequence *s = NEW(Sequence);
    s->items = NEW_ARRAY(Tensor *, count);
    w->sequences[t->id] = s;
    return s;
}

static void add_item(const Walk *w, const Node *n, Sequence *s, Tensor *t)
{
    enum { MAX_ITEMS = 1 << 16 };
    if (!t || !type_known(t->type))
        fail_node(w->g, n, "unsupported: an element of a sequence that is not a tensor");
    if (s->count && s->items[0]->type.dtype != t->type.dtype)
        fail_node(w->g, n, "a sequence of %s cannot take %s", dtype_name(s->items[0]->type.dtype),
                  type_text(t->type));
    if (s->count == MAX_ITEMS)
        fail_node(w->g, n, "unsupported: a sequence of more than %d elements", MAX_ITEMS);
    s->items[s->count++] = t;
}

/* A constant position in [0, limit), negative ones counted from `from_end`; `otherwise`: it is not given. */
static int position(const Walk *w, const Node *n, int input, int limit, int from_end, int otherwise)
{
    int64_t count;
    const int64_t *p = const_ints(w->g, n, input, &count);
    int64_t at = p ? -1 : otherwise;
    if (p && count == 1)
        at = p[0] < 0 ? p[0] + from_end : p[0];
    if (at < 0 || at >= limit)
        fail_node(w->g, n, "position %s of a sequence of %d", int_text(p && count ? p[0] : at), from_end);
    return (int)at;
}

/* ---- the operators ---- */

static void construct(Walk *w, const Node *n)
{
    Sequence *s = new_sequence(w, n, n->num_in);
    for (int i = 0; i < n->num_in; i++)
        add_item(w, n, s, n->in[i]);
}

static void insert(Walk *w, const Node *n)
{
    const Sequence *from = sequence_of(w, n);
    int at = position(w, n, 2, from->count + 1, from->count, from->count);
    Sequence *to = new_sequence(w, n, from->count + 1);
    for (int i = 0; i <= from->count; i++) {
        if (i == at)
            add_item(w, n, to, n->in[1]);
        if (i < from->count)
            add_item(w, n, to, from->items[i]);
    }
}

static void erase(Walk *w, const Node *n)
{
    const Sequence *from = sequence_of(w, n);
    int at = position(w, n, 1, from->count, from->count, from->count - 1);
    Sequence *to = new_sequence(w, n, from->count);
    for (int i = 0; i < from->count; i++)
        if (i != at)
            add_item(w, n, to, from->items[i]);
}

static void pick(Walk *w, const Node *n)
{
    const Sequence *s = sequence_of(w, n);
    walk_give(w, n, 0, s->items[position(w, n, 1, s->count, s->count, 0)]);
}

static void check_pieces(const Walk *w, const Node *n, int64_t count)
{
    enum { MAX_PIECES = 1 << 12 };
    if (count < 1 || count > MAX_PIECES)
        fail_node(w->g, n, "unsupported: a sequence of %s pieces", int_text(count));
}

/* The sizes of the pieces: given, or `size` each but the last. */
static const int64_t *piece_sizes(const Walk *w, const Node *n, int64_t length, int64_t *count)
{
    const int64_t *given = const_ints(w->g, n, 1, count);
    if (given && n->in[1]->type.rank > 1)
        fail_node(w->g, n, "the sizes of the pieces are a number or a vector");
    if (given && n->in[1]->type.rank == 1) {
        check_pieces(w, n, *count);
        return given;
    }
    int64_t size = given ? given[0] : 1;
    if (size < 1)
        fail_node(w->g, n, "pieces of size %s", int_text(size));
    *count = length / size + (length % size != 0);
    check_pieces(w, n, *count);
    int64_t *sizes = NEW_ARRAY(int64_t, *count);
    for (int64_t i = 0; i < *count; i++)
        sizes[i] = i < *count - 1 ? size : length - i * size;
    return sizes;
}

static void split(Walk *w, const Node *n)
{
    int64_t axis = norm_axis(w->g, n, attr_int(n, "axis"), n->in[0]->type.rank), count;
    const int64_t *sizes = piece_sizes(w, n, n->in[0]->type.dims[axis], &count);
    bool squeeze = n->num_in < 2 && !attr_int(n, "keepdims");
    Tensor *at = graph_const_i64(w->g, mem_printf("%s.axis", node_label(n)), 1, &axis);
    Node *pieces = node_new(OP_Split, n->name, 2, (int)count);
    attr_set_int(pieces, "axis", axis);
    pieces->in[0] = n->in[0];
    pieces->in[1] = graph_const_i64(w->g, mem_printf("%s.sizes", node_label(n)), count, sizes);
    for (int i = 0; i < count; i++)
        pieces->out[i] = graph_tensor(w->g, mem_printf("%s.%d", n->out[0]->name, i), (Type){.rank = -1});
    infer_nodes(w, &pieces, 1);
    Sequence *s = new_sequence(w, n, (int)count);
    for (int i = 0; i < count; i++)
        add_item(w, n, s, squeeze ? walk_make(w, n, OP_Squeeze, pieces->out[i], at, NULL) : pieces->out[i]);
}

static void concat(Walk *w, const Node *n)
{
    const Sequence *s = sequence_of(w, n);
    if (!s->count)
        fail_node(w->g, n, "unsupported: the elements of an empty sequence as one tensor");
    if (attr_int(n, "new_axis")) {
        walk_join(w, n, 0, &(Collector){s->items, s->count, s->count}, attr_int(n, "axis"), false);
        return;
    }
    Node *join = node_new(OP_Concat, n->name, s->count, 1);
    attr_set_int(join, "axis", attr_int(n, "axis"));
    memcpy(join->in, s->items, (size_t)s->count * sizeof *s->items);
    join->out[0] = n->out[0];
    infer_nodes(w, &join, 1);
}

void infer_sequence(Walk *w, const Node *n)
{
    if (!n->out[0])
        return;
    switch (n->op) {
    case OP_SequenceEmpty: new_sequence(w, n, 0); return;
    case OP_SequenceConstruct: construct(w, n); return;
    case OP_SequenceInsert: insert(w, n); return;
    case OP_SequenceErase: erase(w, n); return;
    case OP_SequenceAt: pick(w, n); return;
    case OP_SequenceLength: walk_give(w, n, 0, walk_int(w, n, sequence_of(w, n)->count)); return;
    case OP_SplitToSequence: split(w, n); return;
    case OP_ConcatFromSequence: concat(w, n); return;
    default: *new_sequence(w, n, 0) = *sequence_of(w, n); return;
    }
}
