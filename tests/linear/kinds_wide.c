/* kinds_wide.c - many of the same beside each other: operands, branches, inputs, outputs, names. */
#include "linear/kinds.h"

#include <string.h>

/* "START0 START1 ..." behind t. */
static void list(Text *t, const char *start, int n)
{
    for (int i = 0; i < n; i++)
        text_printf(t, "%s%s%d", t->len ? " " : "", start, i);
}

static void end_wide(Big *b, const char *op, const char *start, int n, const char *attrs)
{
    Text in = {0}, out = {0};
    list(&in, start, n);
    text_printf(&out, "y");
    add_wide(b, op, &in, &out, attrs);
    add_output(b, "y", 1, NULL);
}

/* n nodes Relu(x), y0 to yn-1. */
static void branches(Big *b, int n)
{
    add_input(b, "x", 1, "1,4");
    for (int i = 0; i < n; i++)
        add_node(b, "Relu", "x", numbered("y", i), "");
}

void make_concat(Big *b, int n)
{
    branches(b, n);
    end_wide(b, "Concat", "y", n, "axis=1");
}

void make_concat_inputs(Big *b, int n)
{
    for (int i = 0; i < n; i++)
        add_input(b, numbered("x", i), 1, "1,4");
    end_wide(b, "Concat", "x", n, "axis=1");
}

void make_split(Big *b, int n)
{
    add_input(b, "x", 1, mem_printf("1,%d", n));
    Text in = {0}, out = {0};
    text_printf(&in, "x");
    list(&out, "s", n);
    add_wide(b, "Split", &in, &out, "axis=1");
    end_wide(b, "Sum", "s", n, "");
}

void make_sum(Big *b, int n)
{
    branches(b, n);
    end_wide(b, "Sum", "y", n, "");
}

void make_max(Big *b, int n)
{
    branches(b, n);
    end_wide(b, "Max", "y", n, "");
}

/* Branches of one input, each with a layer, that come together two by two. */
void make_branches(Big *b, int n)
{
    add_input(b, "x", 1, "1,4");
    add_weights(b, "s0", "1,4");
    for (int i = 0; i < n / 2; i++) {
        add_weights(b, numbered("w", i), "4,4");
        add_node(b, "MatMul", mem_printf("x w%d", i), numbered("m", i), "");
        add_node(b, "Add", mem_printf("s%d m%d", i, i), numbered("s", i + 1), "");
    }
    add_output(b, numbered("s", n / 2), 1, NULL);
}

/* Tensors of many sizes that live for times of many lengths: gaps of the arena that fit nothing. */
void make_alive(Big *b, int n)
{
    int half = n / 2;
    for (int i = 0; i < 16; i++)
        add_input(b, numbered("x", i), 1, int_text(4 + 8 * i));
    for (int i = 0; i < half; i++)
        add_node(b, "Relu", numbered("x", i % 16), numbered("r", i), "");
    for (int i = 0; i < half; i++) {
        int from = (int)((int64_t)i * 7919 % half);
        add_node(b, "ReduceSum", numbered("r", from), numbered("k", i), "");
    }
    end_wide(b, "Sum", "k", half, "");
}

/* Gaps of the arena that fit nothing: of two small tensors the second dies, then large ones come. */
void make_gaps(Big *b, int n)
{
    int small = n / 4;
    add_input(b, "x", 1, "4");
    add_input(b, "large0", 1, "1,1,8,8");
    for (int i = 0; i < 2 * small; i++)
        add_node(b, "Relu", "x", numbered("r", i), "");
    add_node(b, "Neg", "r1", "s0", "");
    for (int i = 0; i < small; i++)
        add_node(b, "Add", mem_printf("s%d r%d", i, 2 * i + 1), numbered("s", i + 1), "");
    for (int i = 0; i < small; i++)
        add_node(b, "MaxPool", numbered("large", i), numbered("large", i + 1),
                 "kernel_shape=[3,3] pads=[1,1,1,1]");
    for (int i = 0; i < small; i++)
        add_node(b, "Add", mem_printf("s%d r%d", small + i, 2 * i), numbered("s", small + i + 1), "");
    add_output(b, numbered("s", 2 * small), 1, NULL);
    add_output(b, numbered("large", small), 1, NULL);
}

/* A chain of which all is an output. */
void make_outputs(Big *b, int n)
{
    add_input(b, "x0", 1, "1,4");
    for (int i = 0; i < n; i++) {
        add_node(b, i % 2 ? "Relu" : "Neg", numbered("x", i), numbered("x", i + 1), "");
        add_output(b, numbered("x", i + 1), 1, NULL);
    }
}

/* Outputs that are one tensor, by copies that would fold. */
void make_same_output(Big *b, int n)
{
    add_input(b, "x", 1, "1,4");
    add_node(b, "Relu", "x", "r", "");
    for (int i = 0; i < n; i++) {
        add_node(b, "Identity", "r", numbered("y", i), "");
        add_output(b, numbered("y", i), 1, NULL);
    }
}

/* A sum of inputs, two by two. */
void make_inputs(Big *b, int n)
{
    add_weights(b, "s0", "1,4");
    for (int i = 0; i < n; i++) {
        add_input(b, numbered("x", i), 1, "1,4");
        add_node(b, "Add", mem_printf("s%d x%d", i, i), numbered("s", i + 1), "");
    }
    add_output(b, numbered("s", n), 1, NULL);
}

void make_dead(Big *b, int n)
{
    add_input(b, "x0", 1, "1,4");
    for (int i = 0; i < n; i++)
        add_node(b, "Relu", numbered("x", i), numbered("x", i + 1), "");
    add_node(b, "Relu", "x0", "y", "");
    add_output(b, "y", 1, NULL);
}

void make_unused(Big *b, int n)
{
    add_input(b, "x", 1, "1,4");
    for (int i = 0; i < n; i++)
        add_weights(b, numbered("w", i), "4,4");
    add_node(b, "Relu", "x", "y", "");
    add_output(b, "y", 1, NULL);
}

/* Names of 200 characters that differ at their ends: as identifiers all are the same. */
void make_long_names(Big *b, int n)
{
    char start[200];
    memset(start, 'n', sizeof start);
    start[sizeof start - 1] = 0;
    const char *before = "x";
    add_input(b, before, 1, "1,4");
    for (int i = 0; i < n / 2; i++) {
        const char *w = mem_printf("%s.w%d", start, i), *y = mem_printf("%s/%d", start, i);
        const char *z = mem_printf("%s:%d", start, i);
        add_weights(b, w, "1,4");
        add_node(b, "Add", mem_printf("%s %s", before, w), y, "");
        add_node(b, "Neg", y, z, "");
        add_output(b, y, 1, NULL);
        before = z;
    }
    add_output(b, before, 1, NULL);
}

/* Out of order, so sorted. */
void make_reversed(Big *b, int n)
{
    add_input(b, numbered("x", n), 1, "1,4");
    for (int i = 0; i < n; i++)
        add_node(b, "Relu", numbered("x", i + 1), numbered("x", i), "");
    add_output(b, "x0", 1, NULL);
}

void make_value_info(Big *b, int n)
{
    make_relu(b, n);
    for (int i = 1; i < n; i++)
        add_value_info(b, numbered("x", i), 1, "1,8");
}

void make_metadata(Big *b, int n)
{
    make_relu(b, 4);
    for (int i = 0; i < n; i++)
        add_metadata(b, numbered("key", i), "value");
}

/* Inputs of which each has a batch of its own name. */
void make_symbols(Big *b, int n)
{
    for (int i = 0; i < n / 2; i++) {
        add_input(b, numbered("x", i), 1, mem_printf("batch%d,4", i));
        add_node(b, "Relu", numbered("x", i), numbered("y", i), "");
        add_output(b, numbered("y", i), 1, NULL);
    }
}

void make_opsets(Big *b, int n)
{
    make_relu(b, 4);
    for (int i = 0; i < n; i++)
        add_opset(b, numbered("com.example.", i), 1);
}
