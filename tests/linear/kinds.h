/* kinds.h - what makes a model of n nodes; each ends with an output. */
#ifndef TERNC_TESTS_LINEAR_KINDS_H
#define TERNC_TESTS_LINEAR_KINDS_H

#include "linear/linear.h"

/* ---- kinds_chain.c: each node reads the one before ---- */

void make_relu(Big *b, int n);
void make_add(Big *b, int n);
void make_mul(Big *b, int n);
void make_identity(Big *b, int n);
void make_reshape(Big *b, int n);
void make_transpose(Big *b, int n);
void make_cast(Big *b, int n);
void make_shape(Big *b, int n);
void make_quantized(Big *b, int n);
void make_coded(Big *b, int n);
void make_coded_moves(Big *b, int n);
void make_pool(Big *b, int n);
void make_slice(Big *b, int n);
void make_softmax(Big *b, int n);
void make_constant(Big *b, int n);
void make_folded(Big *b, int n);
void make_double(Big *b, int n);
void make_residual(Big *b, int n);
void make_views(Big *b, int n);
void make_old(Big *b, int n);

/* ---- kinds_layer.c: layers with weights ---- */

void make_matmul(Big *b, int n);
void make_matmul_shared(Big *b, int n);
void make_gemm(Big *b, int n);
void make_gemm_shared(Big *b, int n);
void make_conv(Big *b, int n);
void make_conv_shared(Big *b, int n);
void make_depthwise(Big *b, int n);
void make_lstm(Big *b, int n);
void make_streaming(Big *b, int n);
void make_external(Big *b, int n);

/* ---- kinds_wide.c: many of the same beside each other ---- */

void make_concat(Big *b, int n);
void make_concat_inputs(Big *b, int n);
void make_split(Big *b, int n);
void make_sum(Big *b, int n);
void make_max(Big *b, int n);
void make_branches(Big *b, int n);
void make_alive(Big *b, int n);
void make_gaps(Big *b, int n);
void make_outputs(Big *b, int n);
void make_same_output(Big *b, int n);
void make_inputs(Big *b, int n);
void make_dead(Big *b, int n);
void make_unused(Big *b, int n);
void make_long_names(Big *b, int n);
void make_reversed(Big *b, int n);
void make_value_info(Big *b, int n);
void make_metadata(Big *b, int n);

void make_symbols(Big *b, int n);
void make_opsets(Big *b, int n);

/* ---- kinds_refused.c: what ternc refuses ---- */

void make_unsupported(Big *b, int n);
void make_same_unsupported(Big *b, int n);
void make_twice(Big *b, int n);
void make_cycle(Big *b, int n);

/* ---- kinds_flow.c: bodies and functions ---- */

void make_if(Big *b, int n);
void make_if_known(Big *b, int n);
void make_if_long(Big *b, int n);
void make_loop(Big *b, int n);
void make_loop_long(Big *b, int n);
void make_scan(Big *b, int n);
void make_functions(Big *b, int n);
void make_sequence(Big *b, int n);

#endif
