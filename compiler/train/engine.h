/* engine.h - training a graph: values and gradients of its tensors (engine.c), the library that computes the
 * heavy operators (dnnl.c), gradient rules of the others (grad_*.c). Evaluation (eval.c) shares nothing with
 * it but the runtime kernels of elementwise operators: it is what the forward pass here is tested against. */
#ifndef TERNC_ENGINE_H
#define TERNC_ENGINE_H

#include "graph/op.h"
#include "graph/options.h"

typedef struct Engine Engine;
typedef struct Library Library; /* of the process: engine and stream */
typedef struct NodeKernel NodeKernel;
typedef struct MemoryFormat MemoryFormat; /* how the library lays elements out */

/* Which tensors are codes, as passes/quantise.c will have it. */
typedef struct CodePlan {
    const int *roots; /* by tensor id: the tensor that has the same step; -1: stays float */
    int count;        /* of tensors */
    CalibrationRule rule;
    const CodeKind *kind;
} CodePlan;

/* A tensor that will be codes, see fake_codes.c. */
typedef struct FakeCodes {
    const Tensor *t;
    int root;              /* id of the tensor whose step it has */
    int64_t at;            /* of its range in Engine.running: low, high */
    float step;            /* of this forward pass */
    float low, high;       /* the ends of the codes, less the zero point */
    float *exact;          /* what the node made, where its rule wants that; NULL: only Value.data is kept */
    unsigned char *inside; /* by element: not clamped */
} FakeCodes;

/* Memory of gradients. The backward pass needs that of a tensor from its last reader down to its producer, so
 * one block serves many. */
typedef struct GradBlock {
    float *data;
    int64_t size;
    int last; /* reader of the tensors that it serves, a node's index */
} GradBlock;

typedef struct GradPool {
    GradBlock *items;
    int count;
} GradPool;

/* A tensor while training. Elements lie in `format`, and behind each other in `dense` for those who need
 * that. */
typedef struct Value {
    const Tensor *t;
    bool wanted;                /* needs a gradient */
    int readers;                /* nodes that add to its gradient */
    int first, last;            /* its producer, -1: none; its last reader, behind all nodes for the score */
    GradPool *pool;             /* what grad, scratch and dense_grad are of, but for trained constants */
    const MemoryFormat *format; /* NULL until the producer is prepared */
    int64_t size;               /* elements in `format`, padding included */
    void *data;
    float *grad, *scratch; /* in `format`; scratch: for a second reader's part; NULL: not needed */
    bool touched;          /* grad is valid */
    void *dense;           /* == data where the format is dense; NULL: nobody needs it */
    float *dense_grad;
    bool dense_valid, dense_touched;
    bool rectified;   /* its only reader, a Relu, is computed with it */
    bool shared;      /* data belongs to another value, and grad is the same */
    FakeCodes *codes; /* NULL: stays float */
} Value;

typedef struct Step Step;

/* The code for one node with memory and formats of its own. */
struct NodeKernel {
    Engine *e;
    const Node *n;
    void (*forward)(NodeKernel *k);
    void (*backward)(NodeKernel *k);
    struct Calls *c;                   /* of the library */
    int64_t stacks, rows, cols, inner; /* of a matrix product */
    int32_t *maps[2];                  /* its matrix on either side by stack; NULL: in order */
};

/* A trained constant and its place in every block of one layout: parameters, gradients, moments. */
typedef struct Param {
    const Tensor *t; /* of the engine's graph; NULL: no constant of it (the trainer's own, a range) */
    const Node *node;
    int64_t at, count;
    bool decays;    /* weight decay is for the weights of linear operators */
    bool is_weight; /* of a linear operator: box is valid */
    Ternary box;
} Param;

typedef struct ParamList {
    Param *items;
    int count;
    int64_t total; /* elements */
} ParamList;

struct Engine {
    Graph *g; /* with the batch in every tensor */
    int64_t batch;
    Library *lib;
    Value *values;       /* by tensor id */
    Step *steps;         /* by node */
    const int *uses;     /* graph_use_counts, and */
    Node *const *users;  /* graph_only_users, of g, which stays as it is */
    const Tensor *score; /* what the loss sees: an output, or what goes into the Softmax that makes it */
    ParamList params;    /* in execution order */
    float *weights;      /* block: what the graph computes with */
    float *grads;        /* block */
    GradPool pool;       /* gradients of all else */
    ParamList stats;     /* running mean and variance of BatchNormalization, ranges of codes */
    float *running;      /* block of stats */
    bool training;       /* statistics of the batch, Dropout */
    bool estimates;      /* ranges follow momentum too, else one of their own */
    double momentum;     /* running = momentum * running + (1 - momentum) * batch */
    FakeCodes *codes;    /* tensors that will be codes */
    int num_codes;
    CalibrationRule rule; /* of their ranges */
    const CodeKind *kind; /* what codes they are */
    bool quantises;       /* they are rounded; else as floats */
    uint64_t noise;       /* seed of this step's Dropout */
};

/* batch.c: the graph for `batch` samples at once; tensor ids stay. Fails where it cannot be followed. */
Graph *graph_with_batch(const Graph *g, int64_t batch);
/* Whether the score has values for each sample, as far as shapes tell. */
bool takes_batch(const Graph *g, const Tensor *score, int64_t batch);

/* What gets a gradient: nothing, parameters, the inputs of the graph as well. */
typedef enum Wanted { WANT_NONE, WANT_PARAMS, WANT_INPUTS } Wanted;
/* engine.c. Fails, naming the nodes, when an operator between a trained weight and the output has no
 * gradient. score is in g (before the batch was set). */
Engine *engine_new(const Graph *g, const Tensor *score, int64_t batch, int threads, Wanted wanted);
/* The same, with activations that will be codes, from Engine.quantises on. plan NULL: none. */
Engine *engine_new_coded(const Graph *g, const Tensor *score, int64_t batch, int threads, Wanted wanted,
                         const CodePlan *plan);
void *engine_input(Engine *e);                            /* dense, for the batch's samples */
const float *engine_forward(Engine *e);                   /* the dense score */
void engine_backward(Engine *e, const float *score_grad); /* fills e->grads */
/* Constant t, of the graph that the engine was made from, has these values from now on; data must stay. */
void engine_set_constant(Engine *e, const Tensor *t, const float *data);
void engine_free(Engine *e);

/* fake_codes.c */
void fake_find(Engine *e, const CodePlan *plan); /* before the blocks are made */
void fake_prepare(Engine *e);                    /* behind the nodes */
void fake_begin(Engine *e);                      /* of a forward pass: steps follow from ranges */
void fake_round(FakeCodes *c, const float *x, float *y, int64_t n); /* sets inside as well */
void fake_forward(Engine *e, Value *v); /* behind its node; in training the batch's range is seen */
void fake_backward(const Value *v);     /* before its node */
/* By tensor id, of those that others share their step with; running: as Engine.running. */
Range *fake_ranges(const Engine *e, const float *running, int count);

/* value.c */
float *floats_new(int64_t n); /* zeroed, aligned, for free() */
Value *value_of(Engine *e, const Tensor *t);
void value_allocate(Value *v, const MemoryFormat *format); /* format NULL: dense */
bool value_is_dense(const Value *v);
void pool_free(GradPool *p);
void value_share(Value *v, const Value *with); /* the same elements under another name */
void value_need_dense(Value *v);               /* from now on value_dense works */
const void *value_dense(Engine *e, Value *v);  /* refreshed where it lies elsewhere */
float *value_grad(Value *v);                   /* dense, to be added to: zeroed on the first use of a step */
float *value_grad_target(const Value *v);      /* in the format, to be stored to; then */
void value_grad_arrived(Value *v);             /* it joins what other readers gave */
void value_merge_grad(Engine *e, Value *v);    /* dense_grad joins grad: all readers are done */

/* dnnl.c and dnnl_format.c; only dnnl*.c call oneDNN. library_kernel prepares a node and its output values
 * (format, data, grad); NULL: not an operator or a form of one that the library takes. */
Library *library_open(int threads);
void library_close(Library *l);
NodeKernel *library_kernel(Engine *e, const Node *n);
void library_kernel_free(NodeKernel *k);
const MemoryFormat *format_dense(Type t);
bool format_is_dense(const MemoryFormat *f);
int64_t format_size(const MemoryFormat *f); /* elements, padding included */
void library_reorder(Library *l, const MemoryFormat *from, const void *x, const MemoryFormat *to, void *y);
/* c[m][n] = alpha * a b + beta * c; ta: a lies as [k][m], tb: b lies as [n][k] */
void library_sgemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                   const float *b, float beta, float *c);

/* train_kernels.c; NULL: not one of its operators */
NodeKernel *train_kernel(Engine *e, const Node *n);

#endif
