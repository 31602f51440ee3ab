/* codegen.h - a lowered graph as C: places in the arena, files. */
#ifndef TERNC_CODEGEN_H
#define TERNC_CODEGEN_H

#include "layers/layers.h"
#include "print/print.h"

/* ---- plan.c ---- */

/* Where in the arena a layer of n, its own or inside of it, has its sums; -1: it makes them in its output. */
int64_t layer_scratch(const Plan *p, const Node *n, const Layer *l);
Plan *plan_graph(Graph *g, const Options *opt);

/* ---- emit_file.c ---- */

/* The model as two texts. */
void emit_c(const Plan *p, Text *c, Text *h);
typedef struct SourceFile {
    const char *name;
    Text text;
} SourceFile;
typedef struct SourceFiles {
    SourceFile *items;
    int count;
} SourceFiles;
/* The model as NAME.c, NAME.h; split, NAME_split.h, NAME_1.c and so on; with --weights file NAME_weights.S
 * and NAME_weights.bin. */
SourceFiles model_files(const Plan *p);
/* Several models, c[i] and h[i] of plans[i], that share kernels.h and, where it does not stay empty,
 * kernels.c. */
void emit_shared(const Plan *const *plans, int count, Text *c, Text *h, Text *kernels_c, Text *kernels_h);

/* ---- emit_layer.c: OP_Layer ---- */

void emit_layer(Emitter *e, const Node *n);

/* ---- emit_quantised.c ---- */

bool only_shifts(const Graph *g); /* all layers that make codes of sums do it by shifts */

/* ---- emit_recurrent.c: OP_Recurrent ---- */

void emit_recurrent(Emitter *e, const Node *n);

/* ---- flags.c ---- */

const char *recommended_flags(Optimize aim, const char *cc); /* for generated C; cc: a compiler's command */

/* ---- emit_split.c: functions of unrolled terms, in files of their own under --split ---- */

const char *split_header_name(const char *id);
const char *split_file_name(const char *id, int i); /* from 0 */
/* Into how many files beside NAME.c unrolled terms go; 0: none. As --split says, or by their number. */
int split_count(const Plan *p);
struct Split *split_new(int count);
/* Lines between the two calls are those of the function. */
void emit_begin_part(Emitter *e, const char *name, const char *parameters);
void emit_end_part(Emitter *e);
void print_split(Emitter *e, Text *header, Text *files);

/* ---- emit_header.c: NAME.h, and what both files need ---- */

void print_header(const Emitter *e, Text *h);
void print_title(Text *t, const char *file, const char *model); /* the comment that a file begins with */
const char *file_name(const char *path);                        /* what stands behind the last slash */
const char *comment_text(const char *s);                        /* made safe for the inside of a comment */
const char *emit_parameters(const Graph *g);                    /* of the run functions, the arena left out */
const char *emit_arguments(const Graph *g);
const char *emit_result(const Emitter *e); /* the run functions' result type */

#endif
