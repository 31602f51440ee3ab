/* dnnl_calls.h - what the files that know oneDNN share: dnnl*.c, and no other. */
#ifndef TERNC_DNNL_CALLS_H
#define TERNC_DNNL_CALLS_H

#include "train/engine.h"

#include <dnnl.h>

struct Library {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
};

struct MemoryFormat {
    dnnl_memory_desc_t md;
    bool dense;
};

enum { MAX_ARGS = 12 };

/* Copies between formats, in front of a call and behind it. */
typedef struct Move {
    dnnl_primitive_t primitive; /* NULL: no move */
    dnnl_memory_t from, to;
} Move;

typedef struct Call {
    dnnl_primitive_t primitive; /* NULL: nothing to do */
    dnnl_exec_arg_t args[MAX_ARGS];
    int num_args;
    Move before[MAX_ARGS], after[MAX_ARGS];
    int num_before, num_after;
} Call;

struct Calls {
    Call train, infer, back_data, back_weights; /* infer without primitive: the same as train */
    dnnl_memory_t workspace;
    float *mean, *variance; /* of the batch */
};

/* dnnl_format.c */

/* Both fail with the library's reason, the first naming the node. */
void check_status(const NodeKernel *k, dnnl_status_t status);
void check_call(dnnl_status_t status);

/* Descriptions of memory: in the format that the library likes best, and dense. */
dnnl_memory_desc_t any_md(int rank, const int64_t *dims);
dnnl_memory_desc_t type_md(Type t);
const MemoryFormat *format_new(const dnnl_memory_desc_t *md, Type t);

/* data NULL: memory of its own. */
dnnl_memory_t memory_new(Library *l, const dnnl_memory_desc_t *md, void *data);
Move move_new(Library *l, const dnnl_memory_desc_t *from, void *from_data, const dnnl_memory_desc_t *to,
              void *to_data);
void run_move(Library *l, const Move *m);
void move_free(Move *m);

/* dnnl_calls.c */

dnnl_primitive_desc_t make_desc(const NodeKernel *k, const void *op_desc, const_dnnl_primitive_desc_t hint);
const dnnl_memory_desc_t *wanted_md(const_dnnl_primitive_desc_t pd, dnnl_query_t what, int index);
void call_start(Call *c, dnnl_primitive_desc_t pd);
void call_memory(Call *c, int arg, dnnl_memory_t m);
/* An argument that lies at data in format `have`, while the primitive wants `want`. */
void call_in(NodeKernel *k, Call *c, int arg, const dnnl_memory_desc_t *want, const dnnl_memory_desc_t *have,
             void *data);
void call_out(NodeKernel *k, Call *c, int arg, const dnnl_memory_desc_t *want, const dnnl_memory_desc_t *have,
              void *data);
/* An argument that is just where and as it lies. */
void call_at(NodeKernel *k, Call *c, int arg, const dnnl_memory_desc_t *md, float *data);
/* What forward keeps for backward, if anything. */
void call_workspace(NodeKernel *k, Call *c, const_dnnl_primitive_desc_t pd);
/* Forward as planned, backward from all calls; nothing else to do. */
void forward_calls(NodeKernel *k);
void backward_calls(NodeKernel *k);
void call_free(Call *c, dnnl_memory_t keep);       /* but for this memory */
bool input_wanted(const NodeKernel *k, int input); /* its gradient */

/* Whether the library can do the node; fills in k->forward and k->backward. */

/* dnnl_conv.c */
bool prepare_conv(NodeKernel *k);
bool prepare_pool(NodeKernel *k);

/* dnnl_norm.c */
bool prepare_norm(NodeKernel *k);
bool prepare_eltwise(NodeKernel *k);
bool prepare_rectified(NodeKernel *k);

#endif
