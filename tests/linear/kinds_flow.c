/* kinds_flow.c - graphs in attributes, many of them and long ones; functions and sequences. */
#include "linear/kinds.h"

enum { MOST_FUNCTIONS = 2000, MOST_PIECES = 2000, MOST_SCANS = 4000 }; /* of those that ternc takes */

/* A body that makes NAMEn of x by n nodes. */
static void body_chain(Big *body, const char *x, const char *name, int n)
{
    for (int i = 0; i < n; i++)
        add_node(body, "Neg", i ? numbered(name, i) : x, numbered(name, i + 1), "");
}

static void add_if(Big *b, const char *condition, const char *x, const char *y, int n)
{
    Big body = {0};
    const char *name = mem_printf("%s_", y);
    body_chain(&body, x, name, n);
    add_output(&body, numbered(name, n), 1, NULL);
    add_flow(b, "If", condition, y, "then_branch else_branch", "", &body.graph);
}

static void ifs(Big *b, int n, const char *condition)
{
    add_input(b, "x0", 1, "1,4");
    for (int i = 0; i < n / 3; i++)
        add_if(b, condition, numbered("x", i), numbered("x", i + 1), 1);
    add_output(b, numbered("x", n / 3), 1, NULL);
}

void make_if(Big *b, int n)
{
    add_input(b, "condition", 9, "");
    ifs(b, n, "condition");
}

void make_if_known(Big *b, int n)
{
    add_weights(b, "minus", "");
    add_node(b, "Cast", "minus", "condition", "to=9");
    ifs(b, n, "condition");
}

void make_if_long(Big *b, int n)
{
    add_input(b, "condition", 9, "");
    add_input(b, "x0", 1, "1,4");
    add_if(b, "condition", "x0", "y", n / 2);
    add_output(b, "y", 1, NULL);
}

/* A loop over a chain of n nodes, `trips` times or as the input says. */
static void add_loop(Big *b, const char *x, const char *y, int n)
{
    Big body = {0};
    add_input(&body, mem_printf("%s_i", y), 7, "");
    add_input(&body, mem_printf("%s_go", y), 9, "");
    add_input(&body, mem_printf("%s_in", y), 1, "1,4");
    add_node(&body, "Identity", mem_printf("%s_go", y), mem_printf("%s_on", y), "");
    body_chain(&body, mem_printf("%s_in", y), mem_printf("%s_", y), n);
    add_output(&body, mem_printf("%s_on", y), 9, "");
    add_output(&body, mem_printf("%s_%d", y, n), 1, "1,4");
    add_flow(b, "Loop", mem_printf("trips - %s", x), y, "body", "", &body.graph);
}

void make_loop(Big *b, int n)
{
    add_input(b, "trips", 7, "");
    add_input(b, "x0", 1, "1,4");
    for (int i = 0; i < n / 3; i++)
        add_loop(b, numbered("x", i), numbered("x", i + 1), 1);
    add_output(b, numbered("x", n / 3), 1, NULL);
}

void make_loop_long(Big *b, int n)
{
    add_input(b, "trips", 7, "");
    add_input(b, "x0", 1, "1,4");
    add_loop(b, "x0", "y", n);
    add_output(b, "y", 1, NULL);
}

/* Four steps each, which are some 25 nodes; ternc unrolls so many and no more. */
void make_scan(Big *b, int n)
{
    int scans = n / 25 < MOST_SCANS ? n / 25 : MOST_SCANS;
    add_input(b, "x0", 1, "4,2");
    for (int i = 0; i < scans; i++) {
        Big body = {0};
        add_input(&body, "row", 1, "2");
        add_node(&body, "Neg", "row", "minus", "");
        add_output(&body, "minus", 1, NULL);
        add_flow(b, "Scan", numbered("x", i), numbered("x", i + 1), "body", "num_scan_inputs=1", &body.graph);
    }
    add_output(b, numbered("x", scans), 1, NULL);
}

void make_functions(Big *b, int n)
{
    add_opset(b, "f", 1);
    add_input(b, "x0", 1, "1,4");
    for (int i = 0; i < n; i++) {
        if (i < MOST_FUNCTIONS)
            add_function(b, numbered("F", i));
        add_node(b, numbered("f.F", i % MOST_FUNCTIONS), numbered("x", i), numbered("x", i + 1), "");
    }
    add_output(b, numbered("x", n), 1, NULL);
}

/* A sequence's parts, again and again. */
void make_sequence(Big *b, int n)
{
    add_input(b, "x", 1, mem_printf("%d,4", MOST_PIECES));
    add_node(b, "SplitToSequence", "x", "parts", "axis=0");
    add_weights(b, "s0", "1,4");
    for (int i = 0; i < n / 2; i++) {
        if (i < MOST_PIECES)
            add_ints(b, numbered("at", i), "", int_text(i));
        add_node(b, "SequenceAt", mem_printf("parts at%d", i % MOST_PIECES), numbered("p", i), "");
        add_node(b, "Add", mem_printf("s%d p%d", i, i), numbered("s", i + 1), "");
    }
    add_output(b, numbered("s", n / 2), 1, NULL);
}
