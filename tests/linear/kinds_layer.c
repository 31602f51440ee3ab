/* kinds_layer.c - chains of layers with weights, shared or not. */
#include "base/host.h"
#include "linear/kinds.h"

/* x0 float[dims] through n nodes OP(x, w) to xn; shared: all of one weight. */
static void layers(Big *b, int n, const char *dims, const char *op, const char *weights, bool shared,
                   const char *attrs)
{
    add_input(b, "x0", 1, dims);
    for (int i = 0; i < n; i++) {
        if (!shared || !i)
            add_weights(b, numbered("w", i), weights);
        add_node(b, op, mem_printf("x%d w%d", i, shared ? 0 : i), numbered("x", i + 1), attrs);
    }
    add_output(b, numbered("x", n), 1, NULL);
}

void make_matmul(Big *b, int n)
{
    layers(b, n, "1,4", "MatMul", "4,4", false, "");
}

void make_matmul_shared(Big *b, int n)
{
    layers(b, n, "1,4", "MatMul", "4,4", true, "");
}

static void gemms(Big *b, int n, bool shared)
{
    add_input(b, "x0", 1, "1,4");
    for (int i = 0; i < n; i++) {
        int k = shared ? 0 : i;
        if (k == i) {
            add_weights(b, numbered("w", i), "4,4");
            add_weights(b, numbered("b", i), "4");
        }
        add_node(b, "Gemm", mem_printf("x%d w%d b%d", i, k, k), numbered("x", i + 1), "transB=1");
    }
    add_output(b, numbered("x", n), 1, NULL);
}

void make_gemm(Big *b, int n)
{
    gemms(b, n, false);
}

void make_gemm_shared(Big *b, int n)
{
    gemms(b, n, true);
}

void make_conv(Big *b, int n)
{
    add_input(b, "x0", 1, "1,4,2,2");
    add_weights(b, "beta", "4");
    add_node(b, "Exp", "beta", "gamma", "");
    for (int i = 0; i < n / 3; i++) {
        add_weights(b, numbered("w", i), "4,4,1,1");
        add_node(b, "Conv", mem_printf("x%d w%d", i, i), numbered("c", i), "");
        add_node(b, "BatchNormalization", mem_printf("c%d gamma beta beta gamma", i), numbered("b", i), "");
        add_node(b, "Relu", numbered("b", i), numbered("x", i + 1), "");
    }
    add_output(b, numbered("x", n / 3), 1, NULL);
}

void make_conv_shared(Big *b, int n)
{
    layers(b, n, "1,4,2,2", "Conv", "4,4,1,1", true, "");
}

void make_depthwise(Big *b, int n)
{
    layers(b, n, "1,4,3,3", "Conv", "4,1,3,3", false, "group=4 pads=[1,1,1,1]");
}

void make_lstm(Big *b, int n)
{
    add_input(b, "x0", 1, "2,1,2");
    for (int i = 0; i < n / 2; i++) {
        add_weights(b, numbered("w", i), "1,8,2");
        add_weights(b, numbered("r", i), "1,8,2");
        add_node(b, "LSTM", mem_printf("x%d w%d r%d", i, i, i), numbered("y", i), "hidden_size=2");
        add_node(b, "Squeeze", mem_printf("y%d axis", i), numbered("x", i + 1), "");
    }
    add_ints(b, "axis", "1", "1");
    add_output(b, numbered("x", n / 2), 1, NULL);
}

/* Each with a state that goes in and comes out. */
void make_streaming(Big *b, int n)
{
    add_input(b, "x0", 1, "1,1,2");
    add_ints(b, "axis", "1", "1");
    for (int i = 0; i < n / 2; i++) {
        add_weights(b, numbered("w", i), "1,6,2");
        add_weights(b, numbered("r", i), "1,6,2");
        add_input(b, numbered("h", i), 1, "1,1,2");
        add_node(b, "GRU", mem_printf("x%d w%d r%d - - h%d", i, i, i, i), mem_printf("y%d g%d", i, i),
                 "hidden_size=2");
        add_node(b, "Squeeze", mem_printf("y%d axis", i), numbered("x", i + 1), "");
        add_output(b, numbered("g", i), 1, NULL);
    }
    add_output(b, numbered("x", n / 2), 1, NULL);
}

/* Weights of a few bytes in a file beside the model, which is made here, too. */
void make_external(Big *b, int n)
{
    static const float values[] = {1, 2, 3, 4};
    file_write("weights.bin", values, sizeof values);
    add_input(b, "x0", 1, "1,4");
    for (int i = 0; i < n; i++) {
        add_external(b, numbered("w", i), 4, 0, "weights.bin");
        add_node(b, "Add", mem_printf("x%d w%d", i, i), numbered("x", i + 1), "");
    }
    add_output(b, numbered("x", n), 1, NULL);
}
