/* emitter.h - the emitter's state, for files of print and codegen only. */
#ifndef TERNC_EMITTER_H
#define TERNC_EMITTER_H

#include "print/print.h"

struct KernelLibrary;

typedef struct KernelUse {
    const struct Kernel *kernel;
    DType dtype; /* DT_NONE: not typed */
} KernelUse;

struct Emitter {
    const Plan *plan;
    const char *macro; /* the model's identifier in capitals, "NET" */
    Text *out;         /* where emit_line prints */
    int indent;
    Text consts, functions, body;        /* parts of the C file, put together by emit_c */
    const struct KernelLibrary *library; /* runtime/, read at the first use */
    KernelUse *kernels;                  /* in first-use order, what each calls before it */
    int num_kernels, cap_kernels;
    WeightText weights;         /* how long constants are printed */
    bool has_bytes;             /* some are no numbers in the C, but bytes */
    Text weight_bytes, symbols; /* --weights file: those bytes, and the assembler's lines for them */
    const char **const_printed; /* by tensor id: what points to the constant; NULL: not printed yet */
    int num_arrays;
    Names shared;     /* arrays that were printed by emit_shared_array */
    const char *crop; /* the entry of the least code in the table that clamps codes; NULL: not printed yet */
    struct Split *split; /* --split; NULL: one file */
};

void add_literal(Text *t, DType d, const void *data, int64_t i);
/* What stands in front of constants that are bytes; nothing where there are none. */
void print_byte_rules(const Emitter *e, Text *c);
void print_weights_file(const Emitter *e, Text *s); /* NAME_weights.S behind its title */
const char *weights_file_name(const char *id);

/* ---- emit_kernels.c ---- */

void print_linkage(const Emitter *e, Text *c); /* what TN_KERNEL is */
void kernels_print(const Emitter *e, Text *out);
void kernels_merge(Emitter *to, const Emitter *from); /* the kernels of both */
const char *math_text(const Emitter *e);              /* the include of <math.h>, where something needs it */
/* For files that share kernels: these with all that they need. */
void print_kernels(const Emitter *e, Text *h);

#endif
