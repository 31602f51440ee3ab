/* try.h - one random network in a process of its own, which may crash or hang. */
#ifndef TERNC_TESTS_TRY_H
#define TERNC_TESTS_TRY_H

#include "random/draw.h"

typedef enum Verdict {
    UNFINISHED, /* the process ended before it knew */
    NOTHING,    /* no operator was left */
    PASSED,
    REFUSED, /* by `fail` */
    FOUND    /* anything else */
} Verdict;

/* What a process leaves behind, in memory that it shares with its parent. */
typedef struct Outcome {
    Verdict verdict;
    bool built;         /* and run: else the compiler alone was tried */
    char message[3000]; /* of REFUSED and FOUND */
    char kind[160];     /* the same without numbers and names: failures of one kind have one cause */
    char options[400];
    char text[24000]; /* the network as it was drawn, cut */
    Choices choices;
    uint16_t ops[NUM_OPS]; /* how often each operator is in it */
} Outcome;

/* Draws network number `number` of this seed, or the one that is `given`, and tries it; folder: where it is
 * written as model.onnx, or NULL. The result is valid until the next call. */
const Outcome *try_net(uint64_t seed, uint64_t number, const Choices *given, const char *folder);

/* Calls work(job) in a process of its own, with limits of time and memory; what it prints as errors goes to
 * err. Returns its exit code as wait_program does. */
int run_apart(void (*work)(const void *job), const void *job, FILE *err);
Model *model_of(Graph *g);
bool has_control(const Graph *g); /* control flow or sequences: written only once prepared */

/* ---- codes.c ---- */

/* Networks without control flow, of the same inputs. NULL: the same, or how they differ. */
const char *compare_codes(const Graph *drawn, const Graph *compiled, const void *const *inputs);

/* ---- shrink.c ---- */

/* Simpler choices with a finding of the same kind, looking for so many seconds. */
Choices shrink(const Outcome *first, double seconds);

/* ---- oracle.c ---- */

/* Float networks with their inputs and the evaluator's results, for oracle.mjs. */
void write_for_oracle(const char *folder, int count, uint64_t seed);

#endif
