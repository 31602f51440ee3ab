/* supported.c - whether a graph holds only what ternc has: operators, their arity, their attributes. */
#include "graph/op.h"

#include <string.h>

static void check_arity(const Graph *g, const Node *n, const OpDef *d)
{
    if (n->num_in < d->min_in || (d->max_in >= 0 && n->num_in > d->max_in))
        fail_node(g, n, "has %d inputs, %s takes %d to %d", n->num_in, d->name, d->min_in, d->max_in);
    if (n->num_out < d->min_out || (d->max_out >= 0 && n->num_out > d->max_out))
        fail_node(g, n, "has %d outputs, %s gives %d to %d", n->num_out, d->name, d->min_out, d->max_out);
    for (int i = 0; i < d->min_in; i++)
        if (!n->in[i])
            fail_node(g, n, "input %d is missing", i);
    if (d->min_out == 1 && d->max_out >= 0 &&
        !n->out[0]) /* operators with several can do without some of them */
        fail_node(g, n, "output 0 is missing");
}

static const char *attr_type_name(AttrType t)
{
    static const char *const names[] = {"int",    "float",   "string", "tensor",      "ints",
                                        "floats", "strings", "graph",  "another type"};
    return names[t];
}

static void check_attrs(const Graph *g, const Node *n, const OpDef *d)
{
    for (int i = 0; i < n->num_attrs; i++) {
        const AttrSpec *s = d->attrs;
        while (s->name && strcmp(s->name, n->attrs[i].name))
            s++;
        if (!s->name)
            fail_node(g, n, "unsupported: attribute '%s' of %s", n->attrs[i].name, d->name);
        if (s->type != n->attrs[i].type)
            fail_node(g, n, "attribute '%s' must be of type %s, not %s", s->name, attr_type_name(s->type),
                      attr_type_name(n->attrs[i].type));
    }
    for (const AttrSpec *s = d->attrs; s->name; s++) {
        bool set = false;
        for (int i = 0; i < n->num_attrs; i++)
            set |= !strcmp(s->name, n->attrs[i].name);
        if (s->required && !set)
            fail_node(g, n, "attribute '%s' is required", s->name);
    }
}

/* Operators that ternc does not have, each once, with its first node. */
typedef struct Unsupported {
    Names operators;
    Text text; /* of the first MAX_LISTED */
} Unsupported;

enum { MAX_LISTED = 20 };

static void add_unsupported(Unsupported *u, const Node *n)
{
    char *entry = mem_printf("%s%s%s", n->domain, n->domain[0] ? "." : "", n->op_name);
    if (names_find(&u->operators, entry) >= 0)
        return;
    if (u->operators.count < MAX_LISTED)
        text_printf(&u->text, "%s%s (node '%s')", u->text.len ? ", " : "", entry, node_label(n));
    names_add(&u->operators, entry, 0);
}

static void list_unsupported(const Graph *list, Unsupported *u)
{
    for (int i = 0; i < list->num_nodes; i++) {
        const Node *n = list->nodes[i];
        if (n->op == OP_UNSUPPORTED)
            add_unsupported(u, n);
        for (int k = 0; k < n->num_attrs; k++)
            if (n->attrs[k].graph)
                list_unsupported(n->attrs[k].graph, u);
    }
}

void check_supported_node(const Graph *g, const Node *n)
{
    check_arity(g, n, op_def(n->op));
    check_attrs(g, n, op_def(n->op));
}

static void check_nodes(const Graph *g, const Graph *list)
{
    for (int i = 0; i < list->num_nodes; i++) {
        const Node *n = list->nodes[i];
        if (!n->opset)
            check_supported_node(g, n);
        for (int k = 0; k < n->num_attrs; k++)
            if (n->attrs[k].graph)
                check_nodes(g, n->attrs[k].graph);
    }
}

void check_supported(const Graph *g)
{
    Unsupported u = {0};
    list_unsupported(g, &u);
    if (u.operators.count) {
        int more = u.operators.count - MAX_LISTED;
        char *names = text_take(&u.text);
        fail("%s: unsupported operators: %s%s", g->file, names,
             more > 0 ? mem_printf(" and %d more", more) : "");
    }
    check_nodes(g, g);
}
