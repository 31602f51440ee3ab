/* op_cases.h - the one table of operator cases: value tests, gradient tests and the oracle all walk it.
 * A row is a small graph in the text format of support/text.c, already in opset 17 form. */
#ifndef TERNC_OP_CASES_H
#define TERNC_OP_CASES_H

#include <stdbool.h>

typedef struct OpCase {
    const char *name; /* a C identifier, unique */
    const char *text; /* the graph; output types may be left out */
    const char *in;   /* values of the inputs, "1 2 3; 4 5"; NULL: random in [low, high] */
    const char *out; /* values of the outputs, likewise; NULL: only compared with each other and the oracle */
    const char *error; /* the graph must be refused with this in the message; all else but text is ignored */
    double low, high;  /* both 0: -1 to 1; whole numbers for integers */
    double tolerance;  /* relative; 0: 1e-5 */
    int steps;         /* codes may be so many off where passes compute on codes */
    bool no_oracle;    /* onnxruntime cannot run it or reads the standard otherwise; say why in a comment */
} OpCase;

extern const OpCase op_cases[];
extern const int num_op_cases;

#endif
