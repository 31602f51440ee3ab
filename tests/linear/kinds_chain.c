/* kinds_chain.c - chains: each node reads the one before. */
#include "linear/kinds.h"

/* x0 float[dims] through n nodes OP(x, more) to xn. */
static void chain(Big *b, int n, const char *dims, const char *op, const char *more, const char *attrs)
{
    add_input(b, "x0", 1, dims);
    for (int i = 0; i < n; i++)
        add_node(b, op, mem_printf("x%d%s", i, more), numbered("x", i + 1), attrs);
    add_output(b, numbered("x", n), 1, NULL);
}

/* The same with a constant for each node. */
static void chain_with_constants(Big *b, int n, const char *op)
{
    add_input(b, "x0", 1, "1,8");
    for (int i = 0; i < n; i++) {
        add_weights(b, numbered("c", i), "8");
        add_node(b, op, mem_printf("x%d c%d", i, i), numbered("x", i + 1), "");
    }
    add_output(b, numbered("x", n), 1, NULL);
}

void make_relu(Big *b, int n)
{
    chain(b, n, "1,8", "Relu", "", "");
}

void make_add(Big *b, int n)
{
    chain_with_constants(b, n, "Add");
}

void make_mul(Big *b, int n)
{
    chain_with_constants(b, n, "Mul");
}

void make_identity(Big *b, int n)
{
    chain(b, n, "1,8", "Identity", "", "");
}

void make_reshape(Big *b, int n)
{
    add_ints(b, "s0", "2", "2,4");
    add_ints(b, "s1", "2", "4,2");
    add_input(b, "x0", 1, "1,8");
    for (int i = 0; i < n; i++)
        add_node(b, "Reshape", mem_printf("x%d s%d", i, i % 2), numbered("x", i + 1), "");
    add_output(b, numbered("x", n), 1, NULL);
}

void make_transpose(Big *b, int n)
{
    chain(b, n, "2,3,4", "Transpose", "", "perm=[1,2,0]");
}

void make_cast(Big *b, int n)
{
    add_input(b, "x0", 1, "1,8");
    for (int i = 0; i < n; i++)
        add_node(b, "Cast", numbered("x", i), numbered("x", i + 1), i % 2 ? "to=1" : "to=6");
    add_output(b, numbered("x", n), n % 2 ? 6 : 1, NULL);
}

/* Arithmetic of shapes, as exporters write it for every Reshape. */
void make_shape(Big *b, int n)
{
    add_input(b, "x0", 1, "2,4");
    add_ints(b, "zero", "1", "0");
    add_ints(b, "rest", "1", "-1");
    for (int i = 0; i < n / 5; i++) {
        add_node(b, "Shape", numbered("x", i), numbered("s", i), "");
        add_node(b, "Gather", mem_printf("s%d zero", i), numbered("d", i), "");
        add_node(b, "Concat", mem_printf("d%d rest", i), numbered("t", i), "axis=0");
        add_node(b, "Reshape", mem_printf("x%d t%d", i, i), numbered("r", i), "");
        add_node(b, "Relu", numbered("r", i), numbered("x", i + 1), "");
    }
    add_output(b, numbered("x", n / 5), 1, NULL);
}

void make_quantized(Big *b, int n)
{
    add_input(b, "x0", 1, "1,8");
    add_weights(b, "w", "8,8");
    add_weights(b, "minus", "");
    add_node(b, "Neg", "minus", "scale", "");
    for (int i = 0; i < n / 2; i++) {
        add_node(b, "QuantizeLinear", mem_printf("x%d scale", i), numbered("q", i), "");
        add_node(b, "DequantizeLinear", mem_printf("q%d scale", i), numbered("x", i + 1), "");
    }
    add_output(b, numbered("x", n / 2), 1, NULL);
}

static void add_step(Big *b)
{
    add_weights(b, "minus", "");
    add_node(b, "Neg", "minus", "scale", "");
}

/* y = x, through codes */
static void add_pair(Big *b, const char *x, const char *codes, const char *y)
{
    add_node(b, "QuantizeLinear", mem_printf("%s scale", x), codes, "");
    add_node(b, "DequantizeLinear", mem_printf("%s scale", codes), y, "");
}

/* Inputs that are quantised, sums of their functions, and all of these as outputs. */
void make_coded(Big *b, int n)
{
    add_step(b);
    add_input(b, "x", 1, "1,8");
    add_pair(b, "x", "q", "y0");
    for (int i = 0; i < n / 7; i++) {
        add_input(b, numbered("x", i), 1, "1,8");
        add_pair(b, numbered("x", i), numbered("q", i), numbered("d", i));
        add_node(b, "Sigmoid", numbered("d", i), numbered("f", i), "");
        add_pair(b, numbered("f", i), numbered("t", i), numbered("e", i));
        add_node(b, "Add", mem_printf("e%d y%d", i, i), numbered("s", i), "");
        add_pair(b, numbered("s", i), numbered("c", i), numbered("y", i + 1));
        add_output(b, numbered("y", i + 1), 1, NULL);
    }
}

/* Maxima of neighbours, which codes have as well: between codes, and in float. */
void make_coded_moves(Big *b, int n)
{
    static const char window[] = "kernel_shape=[3] pads=[1,1]";
    add_step(b);
    add_input(b, "x", 1, "1,2,4");
    add_input(b, "f0", 1, "1,2,4");
    add_pair(b, "x", "q", "m0");
    for (int i = 0; i < n / 2; i++)
        add_node(b, "MaxPool", numbered("m", i), numbered("m", i + 1), window);
    for (int i = 0; i < n / 2; i++)
        add_node(b, "MaxPool", numbered("f", i), numbered("f", i + 1), window);
    add_pair(b, numbered("m", n / 2), "p", "y");
    add_output(b, "y", 1, NULL);
    add_output(b, numbered("f", n / 2), 1, NULL);
}

void make_pool(Big *b, int n)
{
    chain(b, n, "1,2,4,4", "MaxPool", "", "kernel_shape=[3,3] pads=[1,1,1,1]");
}

void make_slice(Big *b, int n)
{
    add_ints(b, "from", "1", "0");
    add_ints(b, "to", "1", "8");
    add_ints(b, "axis", "1", "1");
    add_ints(b, "one", "4", "0,1,0,0");
    add_input(b, "x0", 1, "1,8");
    for (int i = 0; i < n / 2; i++) {
        add_node(b, "Pad", mem_printf("x%d one", i), numbered("p", i), "");
        add_node(b, "Slice", mem_printf("p%d from to axis", i), numbered("x", i + 1), "");
    }
    add_output(b, numbered("x", n / 2), 1, NULL);
}

void make_softmax(Big *b, int n)
{
    chain(b, n, "1,8", "Softmax", "", "axis=1");
}

/* Constants as nodes; an Add of each. */
void make_constant(Big *b, int n)
{
    add_input(b, "x0", 1, "1,8");
    for (int i = 0; i < n / 2; i++) {
        add_node(b, "Constant", "", numbered("c", i), "value_float=1.5");
        add_node(b, "Add", mem_printf("x%d c%d", i, i), numbered("x", i + 1), "");
    }
    add_output(b, numbered("x", n / 2), 1, NULL);
}

/* A chain of constants alone. */
void make_folded(Big *b, int n)
{
    add_input(b, "x", 1, "1,8");
    add_weights(b, "c0", "8");
    for (int i = 0; i < n; i++)
        add_node(b, "Neg", numbered("c", i), numbered("c", i + 1), "");
    add_node(b, "Add", mem_printf("x c%d", n), "y", "");
    add_output(b, "y", 1, NULL);
}

/* As many paths as 2 to the n. */
void make_double(Big *b, int n)
{
    add_input(b, "x0", 1, "1,8");
    for (int i = 0; i < n; i++)
        add_node(b, "Add", mem_printf("x%d x%d", i, i), numbered("x", i + 1), "");
    add_output(b, numbered("x", n), 1, NULL);
}

void make_residual(Big *b, int n)
{
    add_input(b, "x0", 1, "1,4,2,2");
    for (int i = 0; i < n / 3; i++) {
        add_weights(b, numbered("w", i), "4,4,1,1");
        add_node(b, "Conv", mem_printf("x%d w%d", i, i), numbered("c", i), "");
        add_node(b, "Add", mem_printf("x%d c%d", i, i), numbered("s", i), "");
        add_node(b, "Relu", numbered("s", i), numbered("x", i + 1), "");
    }
    add_output(b, numbered("x", n / 3), 1, NULL);
}

/* What upgrade and infer replace by several nodes. */
void make_old(Big *b, int n)
{
    add_input(b, "x0", 1, "2,4");
    for (int i = 0; i < n / 2; i++) {
        add_node(b, "LogSoftmax", numbered("x", i), numbered("l", i), "axis=1");
        add_node(b, "ReduceLogSumExp", numbered("l", i), numbered("x", i + 1), "axes=[1]");
    }
    add_output(b, numbered("x", n / 2), 1, NULL);
}

/* Views of views, each with a user and as an output. */
void make_views(Big *b, int n)
{
    add_input(b, "x", 1, "2,4");
    add_ints(b, "axis", "1", "0");
    add_node(b, "Relu", "x", "x0", "");
    for (int i = 0; i < n / 2; i++) {
        const char *op = i % 2 ? "Squeeze" : "Unsqueeze";
        add_node(b, op, mem_printf("x%d axis", i), numbered("x", i + 1), "");
        add_node(b, "Neg", numbered("x", i + 1), numbered("y", i), "");
        add_output(b, numbered("x", i + 1), 1, NULL);
        add_output(b, numbered("y", i), 1, NULL);
    }
}
