/* upgrade_nodes.c - what the rules of upgrade*.c do to nodes: take attributes, make inputs of them, make
 * nodes. */
#include "graph/op.h"
#include "upgrade_nodes.h"

#include <inttypes.h>
#include <string.h>

const Attr *upgrade_attr(const Upgrade *u, const Node *n, const char *name, AttrType type)
{
    for (int i = 0; i < n->num_attrs; i++) {
        const Attr *a = &n->attrs[i];
        if (strcmp(a->name, name) != 0)
            continue;
        if (a->type != type)
            fail_node(u->g, n, "attribute '%s' has the wrong type", name);
        return a;
    }
    return NULL;
}

int64_t upgrade_take_int(const Upgrade *u, Node *n, const char *name, int64_t otherwise)
{
    const Attr *a = upgrade_attr(u, n, name, ATTR_INT);
    int64_t v = a ? a->i : otherwise;
    attr_remove(n, name);
    return v;
}

/* Fails when there is one already. */
void put_input(const Upgrade *u, Node *n, int index, Tensor *t)
{
    if (index < n->num_in && n->in[index])
        fail_node(u->g, n, "input %d does not exist in opset %" PRId64, index, u->opset);
    if (index >= n->num_in) {
        Tensor **more = NEW_ARRAY(Tensor *, index + 1);
        for (int i = 0; i < n->num_in; i++)
            more[i] = n->in[i];
        n->in = more;
        n->num_in = index + 1;
    }
    n->in[index] = t;
}

const char *upgrade_name(const Node *n, const char *what)
{
    return mem_printf("%s_%s", node_label(n), what);
}

void upgrade_ints(const Upgrade *u, Node *n, const char *name, int index)
{
    const Attr *a = upgrade_attr(u, n, name, ATTR_INTS);
    if (!a)
        return;
    put_input(u, n, index, graph_const_i64(u->g, upgrade_name(n, name), a->count, a->ints));
    attr_remove(n, name);
}

void upgrade_place(Upgrade *u, Node *n)
{
    node_append(&u->kept, n);
}

Node *upgrade_node(const Upgrade *u, const Node *of, const char *op_name, const char *what, int num_in)
{
    Node *n = node_new(op_find("", op_name), upgrade_name(of, what), num_in, 1);
    n->op_name = op_name;
    n->out[0] = graph_tensor(u->g, upgrade_name(of, what), (Type){.rank = -1});
    n->out[0]->producer = n;
    return n;
}

void upgrade_rename(Node *n, const char *op_name)
{
    n->op_name = op_name;
    n->op = op_find("", op_name);
}

void upgrade_need_input(const Upgrade *u, const Node *n)
{
    if (!n->num_in || !n->in[0] || !n->num_out || !n->out[0])
        fail_node(u->g, n, "has no input or no output");
}

Tensor *upgrade_make(Upgrade *u, const Node *of, const char *op, Tensor *a, Tensor *b)
{
    Node *n = upgrade_node(u, of, op, op, b ? 2 : 1);
    n->in[0] = a;
    if (b)
        n->in[1] = b;
    upgrade_place(u, n);
    return n->out[0];
}

Tensor *upgrade_float(const Upgrade *u, const Node *of, float v)
{
    float *data = NEW(float);
    *data = v;
    return graph_const(u->g, upgrade_name(of, "value"), type_make(DT_F32, 0, NULL), data);
}

void upgrade_become(Node *n, const char *op, Tensor *a, Tensor *b, Tensor *c)
{
    n->domain = "";
    n->op_name = op;
    n->op = op_find("", op);
    n->num_attrs = 0;
    n->num_in = 1 + (b != NULL) + (c != NULL);
    n->in = NEW_ARRAY(Tensor *, 3);
    n->in[0] = a;
    n->in[1] = b;
    n->in[2] = c;
}

void upgrade_inputs(const Upgrade *u, const Node *n, int min, int max)
{
    bool good = n->num_in >= min && n->num_in <= max && n->num_out == 1 && n->out[0];
    for (int i = 0; i < min && good; i++)
        good = n->in[i] != NULL;
    if (!good)
        fail_node(u->g, n, "needs %d to %d inputs and one output", min, max);
}
