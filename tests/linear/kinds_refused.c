/* kinds_refused.c - what ternc refuses, and should not take long over. */
#include "linear/kinds.h"

static void unknown(Big *b, int n, bool same)
{
    add_input(b, "x0", 1, "1,4");
    for (int i = 0; i < n; i++)
        add_node(b, numbered("com.example.Op", same ? 0 : i), numbered("x", i), numbered("x", i + 1), "");
    add_output(b, numbered("x", n), 1, NULL);
}

void make_unsupported(Big *b, int n)
{
    unknown(b, n, false);
}

void make_same_unsupported(Big *b, int n)
{
    unknown(b, n, true);
}

/* The last node makes what the first one makes. */
void make_twice(Big *b, int n)
{
    make_relu(b, n);
    add_node(b, "Relu", numbered("x", n), "x1", "");
}

void make_cycle(Big *b, int n)
{
    for (int i = 0; i < n; i++)
        add_node(b, "Relu", numbered("x", i), numbered("x", (i + 1) % n), "");
    add_output(b, "x0", 1, NULL);
}
