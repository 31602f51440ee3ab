/* upgrade_new.c - the rules of upgrade for opset 18: the form that an operator had in opset 17. Axes that
 * became inputs are attributes again, lists for some axes are lists for all. Those rules that ask for
 * constants or ranks wait for them (upgrade.c). Source: the operators' history in ONNX. */
#include "ops/ops.h"
#include "upgrade.h"

#include <inttypes.h>
#include <string.h>

void downgrade_resize(Upgrade *u, Node *n)
{
    const Attr *policy = upgrade_attr(u, n, "keep_aspect_ratio_policy", ATTR_STRING);
    if (policy && strcmp(policy->s, "stretch") != 0)
        fail_node(u->g, n, "keep_aspect_ratio_policy '%s' is not supported", policy->s);
    attr_remove(n, "keep_aspect_ratio_policy");
    if (upgrade_take_int(u, n, "antialias", 0))
        fail_node(u->g, n, "antialias is not supported");
    if (upgrade_attr(u, n, "axes", ATTR_INTS))
        fail_node(u->g, n, "axes of opset 18 are not supported; export with opset 17");
}

/* Pads of some axes become pads of all. */
void downgrade_pad(Upgrade *u, Node *n)
{
    upgrade_need_input(u, n);
    int64_t count, given, pads[2 * MAX_RANK] = {0};
    const int64_t *axes = const_ints(u->g, n, 3, &count), *some = const_ints(u->g, n, 1, &given);
    if (!axes)
        return;
    int rank = n->in[0]->type.rank;
    bool named[MAX_RANK] = {false};
    if (given != 2 * count)
        fail_node(u->g, n, "%s pads for %s axes", int_text(given), int_text(count));
    for (int64_t i = 0; i < count; i++) {
        int64_t a = norm_axis(u->g, n, axes[i], rank);
        if (named[a])
            fail_node(u->g, n, "axis %s is named twice", int_text(a));
        named[a] = true;
        pads[a] = some[i];
        pads[rank + a] = some[count + i];
    }
    n->in[1] = graph_const_i64(u->g, upgrade_name(n, "pads"), (int64_t)2 * rank, pads);
    n->in[3] = NULL;
}

/* Parts of one size, the last of them smaller where they do not come out even. */
void downgrade_split(Upgrade *u, Node *n)
{
    bool counted = upgrade_attr(u, n, "num_outputs", ATTR_INT) != NULL;
    int64_t parts = upgrade_take_int(u, n, "num_outputs", n->num_out);
    if (parts != n->num_out)
        fail_node(u->g, n, "num_outputs is %" PRId64 ", but there are %d", parts, n->num_out);
    upgrade_need_input(u, n);
    if (!counted)
        return;
    const Attr *axis = upgrade_attr(u, n, "axis", ATTR_INT);
    Type x = n->in[0]->type;
    int64_t size = x.dims[norm_axis(u->g, n, axis ? axis->i : 0, x.rank)], part = (size + parts - 1) / parts;
    if (size % parts == 0)
        return;
    int64_t *sizes = NEW_ARRAY(int64_t, parts);
    for (int64_t i = 0; i < parts; i++)
        sizes[i] = size - i * part < part ? size - i * part : part;
    put_input(u, n, 1, graph_const_i64(u->g, upgrade_name(n, "split"), parts, sizes));
}

/* Without axes nothing is joined, but each element goes through what the operator does with it. */
static void reduce_nothing(Node *n)
{
    static const struct {
        const char *op, *becomes;
    } each[] = {
        {"ReduceL1", "Abs"}, {"ReduceL2", "Abs"}, {"ReduceLogSum", "Log"}, {"ReduceSumSquare", "Mul"}};
    const char *becomes = "Identity";
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        if (!strcmp(n->op_name, each[i].op))
            becomes = each[i].becomes;
    attr_remove(n, "keepdims");
    upgrade_rename(n, becomes);
    n->num_in = 1;
    if (n->op == OP_Mul) {
        Tensor *x = n->in[0];
        n->in = NEW_ARRAY(Tensor *, 2);
        n->in[0] = n->in[1] = x;
        n->num_in = 2;
    }
}

void downgrade_reduce(Upgrade *u, Node *n)
{
    upgrade_need_input(u, n);
    int64_t count;
    const int64_t *axes = const_ints(u->g, n, 1, &count);
    bool keep_all = upgrade_take_int(u, n, "noop_with_empty_axes", 0) != 0;
    if (n->num_in > 1)
        n->in[1] = NULL;
    if (count)
        attr_set_ints(n, "axes", (int)count, axes);
    else if (keep_all)
        reduce_nothing(n);
}
