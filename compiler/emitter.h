/* emitter.h - the emitter's state, shared by emit*.c only. */
#ifndef TERNC_EMITTER_H
#define TERNC_EMITTER_H

#include "ir.h"

struct Library;

typedef struct KernelUse {
    const struct Kernel *kernel;
    DType dtype; /* DT_NONE: not typed */
} KernelUse;

struct Emitter {
    const Plan *plan;
    const char *macro; /* the model's identifier in capitals, "NET" */
    Text *out;         /* where emit_line prints */
    int indent;
    Text consts, functions, body; /* parts of the C file, put together by emit_c */
    const struct Library *library; /* runtime/, read at the first use */
    KernelUse *kernels;           /* in first-use order, what each calls before it */
    int num_kernels, cap_kernels;
    bool *const_printed; /* by tensor id */
    int num_arrays;
};

/* emit_kernels.c: carry a kernel and what it calls; print all carried ones. */
void kernels_print(const Emitter *e, Text *out);
bool kernels_need_math(const Emitter *e);

#endif
