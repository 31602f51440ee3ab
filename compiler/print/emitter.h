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
    bool *const_printed; /* by tensor id */
    int num_arrays;
    const char *crop; /* the entry of the least code in the table that clamps codes; NULL: not printed yet */
    struct Split *split; /* --split; NULL: one file */
};

/* ---- emit_kernels.c ---- */

void print_linkage(const Emitter *e, Text *c); /* what TN_KERNEL is */
void kernels_print(const Emitter *e, Text *out);
void kernels_merge(Emitter *to, const Emitter *from); /* the kernels of both */
bool kernels_need_math(const Emitter *e);
/* For files that share kernels: these with all that they need. */
void print_kernels(const Emitter *e, Text *h);

#endif
