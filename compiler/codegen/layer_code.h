/* layer_code.h - linear layers as C, for the files of codegen that print them: the number format names types
 * and kernels, the form prints how sums are made, the epilogue what becomes of them. */
#ifndef TERNC_LAYER_CODE_H
#define TERNC_LAYER_CODE_H

#include "codegen/codegen.h"
#include "print/emitter.h"

typedef struct FormCode FormCode;

/* A convolution being printed. In its functions x is the input, y the output, p the staged input, acc the
 * accumulators of a strip, r the strip's first row, n the positions of its accumulators. */
typedef struct Conv {
    Emitter *e;
    const Layer *l;
    const Format *f;
    const FormCode *code;
    const ConvFrame *frame;
    const Layer *turned; /* of the frame: what is emitted */
    const ConvStrip *s;  /* of the frame */
    int *functions;      /* unrolled: how many per [part][output channel that starts a block][stage] */
    const char *table;   /* tables: the weights' array, */
    DType table_type;    /* and what it is of */
    const char **koff;   /* tables: the array of tap offsets per part; unstaged: its shape */
} Conv;

/* A fully connected layer being printed: x is a row of the input, y of the output. */
typedef struct Fc {
    Emitter *e;
    const Layer *l;
    const Format *f;
    const FormCode *code;
    const char *acc;      /* where its sums are made: "y", or "acc" where those are of another type */
    const int *functions; /* unrolled: how many, by the block's first output */
} Fc;

/* What a form prints: a row for each name of forms.def. */
struct FormCode {
    void (*conv_data)(Conv *c);            /* what stands before the layer's functions */
    void (*conv_strip)(Conv *c, int part); /* accumulates and writes out a strip */
    /* Tables: accumulates output channels from c on. */
    void (*conv_call)(const Conv *c, int part, const char *x);
    void (*fc_data)(Fc *c);       /* NULL: nothing */
    void (*fc_sums)(const Fc *c); /* accumulates a row */
    const char *fc_kernel;        /* of fc_sums */
    const char *fc_words;         /* the same of 16-bit codes; NULL: that takes them too */
};

/* ---- emit_forms.c ---- */

const FormCode *form_code(const Layer *l);

/* ---- emit_layer.c ---- */

void emit_layer_functions(Emitter *e, const Layer *l); /* "layerN" the one to call */

/* ---- emit_conv.c, emit_fc.c: the functions of a layer, "layerN" the one to call ---- */

void emit_conv(Emitter *e, const Layer *l);
void emit_fc(Emitter *e, const Layer *l);

/* ---- emit_epilogue.c ---- */

/* layerN_put_P: scale, bias, activation and pooling of the accumulators of `count` output channels from
 * `first` on, into rows r.. of the output. */
void emit_put(const Conv *c, int part);
void emit_pooled_epilogue(const Conv *c); /* scale, bias and activation of the whole pooled output y */
void emit_fc_epilogue(const Fc *c);       /* of a row: acc to y */

/* ---- layer_kernels.c ---- */

/* "ROWS, COLS, PITCH, STEP" from v to the output: one row where they follow each other in both. */
const char *rows_shape(const Conv *c, const ConvPart *p);
/* The kernel of that name for a number format. */
const char *format_kernel(Emitter *e, const Format *f, const char *name);
/* That for a form that reads a table: of the number format, or of the codes of the inputs. */
const char *table_kernel(Emitter *e, const Layer *l, const char *name);
/* A loop over the channels of a block; v: the accumulators of channel c. */
void begin_channels(const Conv *c);
/* For speed another loop, so that loads wait until the stores of all channels are through: what lies across
 * two stores has to wait for both. */
void next_channels(const Conv *c);
/* That of the layer on v[0..n), C expressions of floats. */
void emit_activation(Emitter *e, const Layer *l, const char *v, const char *n);

/* ---- emit_quantised.c: the same of layers that read codes ---- */

void emit_quantised_rows(const Conv *c, const ConvPart *p); /* v, the sums of channel c, to the output */
void emit_quantised_rest(const Conv *c);                    /* what is left to do with the whole output */
void emit_quantised_row(const Fc *c);

/* ---- conv_input.c ---- */

/* The rows that a strip reads of the input channels from x on, into p. */
void emit_stage(const Conv *c, const char *x);
void emit_stage_borders(const Conv *c); /* what of p stays as it is for all strips */
/* "BASE + c / OUTS * SIZE": where the inputs of output channel c begin, SIZE elements a group. */
const char *group_start(const Layer *l, const char *base, int64_t size);
/* Report the raw accumulators of output channels [first, first + count). */
void emit_check_acc(const Conv *c, int part, const char *first, const char *count);

/* ---- emit_unroll.c ---- */

/* The functions of unrolled terms of one block, layerN_PART_FIRST_I (convolutions: p staged input and q
 * accumulators at a position) and layerN_FIRST_I (fully connected: x, y). */
void emit_unrolled_conv(Emitter *e, const ConvFrame *c, int part, const UnrolledBlock *b);
void emit_unrolled_fc(Emitter *e, const Layer *l, const UnrolledBlock *b);

#endif
