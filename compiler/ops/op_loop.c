/* op_loop.c - LoopBegin and LoopEnd, the internal operators around the body of a Loop whose course is only
 * known at run time (flow.h), made by passes/infer_control.c. In C the states have one place each, where
 * every iteration finds them and leaves them. */
#include "ops/flow.h"
#include "print/print.h"

static void infer_begin(Graph *g, Node *n)
{
    n->out[0]->type = type_make(DT_I64, 0, NULL);
    if (n->in[0] && (n->in[0]->type.dtype != DT_I64 || type_elems(n->in[0]->type) != 1))
        fail_node(g, n, "the trip count '%s' must be a single int64", n->in[0]->name);
    for (int k = 0; k < loop_states(n); k++)
        n->out[1 + k]->type = n->in[2 + k]->type;
}

static void infer_end(Graph *g, Node *n)
{
    for (int k = 0; k < loop_states(n); k++) {
        Type before = loop_state(n, k)->type, behind = loop_next(n, k)->type;
        if (!type_equal(before, behind))
            fail_node(
                g, n,
                "unsupported: Loop whose course is not known at compile time, and whose state %d changes "
                "from %s to %s",
                k, type_text(before), type_text(behind));
        if (n->out[k])
            n->out[k]->type = before;
    }
}

/* A number for the names of a loop's variables. */
static int loop_number(const Emitter *e, const Node *begin)
{
    const Plan *p = emit_plan(e);
    return p->flow->number[plan_node_index(p, begin)];
}

static void emit_begin(Emitter *e, const Node *n)
{
    int number = loop_number(e, n);
    const char *limit = "";
    for (int k = 0; k < loop_states(n); k++)
        emit_copy(e, emit_ptr(e, n->out[1 + k]), emit_ptr(e, n->in[2 + k]), n->out[1 + k]->type);
    emit_line(e, "uint8_t go%d = %s;", number, n->in[1] ? mem_printf("*%s", emit_ptr(e, n->in[1])) : "1");
    if (n->in[0]) {
        emit_line(e, "const int64_t trips%d = *%s;", number, emit_ptr(e, n->in[0]));
        limit = mem_printf(" && loop%d < trips%d", number, number);
    }
    emit_line(e, "for (int64_t loop%d = 0; go%d%s; loop%d++) {", number, number, limit, number);
    emit_line(e, "*%s = loop%d;", emit_ptr(e, n->out[0]), number);
}

/* Whether the next state k lies in the memory of another state, which may be overwritten too early. */
static bool is_crossed(const Node *end, int k)
{
    for (int j = 0; j < loop_states(end); j++)
        if (j != k && memory_of(loop_next(end, k)) == memory_of(loop_state(end, j)))
            return true;
    return false;
}

int64_t loop_scratch_bytes(const Node *end)
{
    int64_t bytes = 0;
    for (int k = 0; k < loop_states(end); k++)
        if (is_crossed(end, k))
            bytes += (int64_t)type_bytes(loop_next(end, k)->type);
    return bytes;
}

/* Crossed states take their way through scratch memory: to it first, from it last. */
static void emit_crossed(Emitter *e, const Node *end, bool to_scratch)
{
    int64_t at = emit_plan(e)->scratch[plan_node_index(emit_plan(e), end)];
    for (int k = 0; k < loop_states(end); k++) {
        if (!is_crossed(end, k))
            continue;
        const char *scratch = mem_printf("arena + %s", int_text(at));
        Type t = loop_next(end, k)->type;
        if (to_scratch)
            emit_copy(e, scratch, emit_ptr(e, loop_next(end, k)), t);
        else
            emit_copy(e, emit_ptr(e, loop_state(end, k)), scratch, t);
        at += (int64_t)type_bytes(t);
    }
}

static void emit_end(Emitter *e, const Node *n)
{
    if (n->in[0])
        emit_line(e, "go%d = *%s;", loop_number(e, loop_begin(n)), emit_ptr(e, n->in[0]));
    emit_crossed(e, n, true);
    for (int k = 0; k < loop_states(n); k++)
        if (!is_crossed(n, k))
            emit_copy(e, emit_ptr(e, loop_state(n, k)), emit_ptr(e, loop_next(n, k)), loop_state(n, k)->type);
    emit_crossed(e, n, false);
    emit_line(e, "}");
    for (int k = 0; k < loop_states(n); k++)
        if (n->out[k])
            emit_copy(e, emit_ptr(e, n->out[k]), emit_ptr(e, loop_state(n, k)), n->out[k]->type);
}

const OpDef op_LoopBegin = {
    .name = "LoopBegin",
    .internal = true,
    .max_in = -1,
    .min_out = 1,
    .max_out = -1,
    .infer = infer_begin,
    .emit = emit_begin,
};

const OpDef op_LoopEnd = {
    .name = "LoopEnd",
    .internal = true,
    .max_in = -1,
    .min_out = 1,
    .max_out = -1,
    .infer = infer_end,
    .emit = emit_end,
};
