/* base.h - memory, text, errors, lists, names and random numbers; knows no graph. */
#ifndef TERNC_BASE_H
#define TERNC_BASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- base.c ---- */

/* Memory comes from one arena that lives to exit; nothing is freed. With -DTERNC_MALLOC every object is its
 * own malloc, so that the sanitisers see each bound. All return zeroed, 16-byte aligned memory. */

void *mem_alloc(size_t bytes);
void *mem_array(int64_t count, size_t size); /* checks the product */
#define NEW(T) ((T *)mem_alloc(sizeof(T)))
#define NEW_ARRAY(T, n) ((T *)mem_array((n), sizeof(T)))
char *mem_strdup(const char *s);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *int_text(int64_t v); /* its digits, for %s: int64_t has no conversion of its own */
/* From now on fail, naming `what`, when these and texts take more than so many bytes and `per_byte` for each
 * byte of the files that are mapped. */
void mem_limit(const char *what, size_t bytes, size_t per_byte);
void mem_raise_limit(size_t bytes); /* so many bytes of files are mapped */
void mem_lower_limit(size_t bytes); /* and no longer are */
void mem_reset(void);               /* frees everything: for fuzzers and tests only */
/* What is allocated between the two is freed again: for the steps of training, which are many. */
void *mem_mark(void);
void mem_release(void *mark);

/* Growing text, allocated with malloc. */
typedef struct Text {
    char *data; /* NUL-terminated once something was added */
    size_t len, cap;
} Text;
void text_add(Text *t, const char *s, size_t n);
void text_printf(Text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_move(Text *to, Text *from); /* what is in from comes behind to */
char *text_take(Text *t);             /* a copy among the other memory, "" for nothing; frees t */
void text_free(Text *t);

/* The two error doors. fail: the user's model, data or system is at fault, exit 1; the message is "ternc:
 * error: ...". bug: ours, exit 3. usage: the command line is wrong, exit 2. */
_Noreturn void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void bug_at(const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#define bug(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* "ternc: note: ..." on stderr */
/* Tests and fuzzers catch fail, usage and bug: with a trap set they store the message and longjmp instead of
 * exiting. if (CATCH(&trap)) { message in trap.message } else { ...; trap_end(); } */
typedef struct Trap {
    jmp_buf env;
    struct Trap *outer; /* that was set before, and is again behind this one */
    int code;           /* the exit code it would have been */
    char message[4096];
} Trap;
void trap_set(Trap *t);
void trap_end(void);
#define CATCH(t) (trap_set(t), setjmp((t)->env))

typedef struct Strings {
    const char *const *items;
    int count, cap; /* cap: room in items for add_string; 0: they are somebody else's */
} Strings;
void add_string(Strings *list, const char *value);

typedef struct Numbers {
    const double *items;
    int count;
} Numbers;

/* ---- random.c ---- */

uint64_t random_bits(uint64_t seed, uint64_t i); /* number i of this seed */
double random_unit(uint64_t seed, uint64_t i);   /* the same in [0, 1) */
uint64_t random_next(uint64_t *state);           /* the next one; state begins as the seed */

/* ---- shown.c ---- */

/* Text from outside as it may be shown anywhere: what is no UTF-8, controls, or misleads is written \xNN.
 * Itself where nothing is. raw_text gives the bytes back: for calls of the system and files that keep names.
 */
const char *shown_text(const char *s);
const char *raw_text(const char *s);
/* What a program printed, added to t; lines and tabs stay, and the bytes cannot be had back. */
void add_shown_lines(Text *t, const char *s, size_t len);

/* ---- names.c ---- */

/* A hash table; begins as {0}. */
typedef struct Names {
    const char **keys; /* NULL: a free place */
    int *numbers;      /* beside the keys */
    int count, cap;
} Names;
int names_find(const Names *t, const char *name); /* its number; -1: it is not there */
/* The name is not copied; one that is there gets another number. Numbers are not negative. */
void names_add(Names *t, const char *name, int number);

/* ---- cname.c ---- */

/* Whether generated C may start its names with s; and such a start from a path, "a/2 nets.onnx" ->
 * "net_2_nets". */
bool is_c_name(const char *s);
const char *model_id(const char *path);
const char *macro_prefix(const char *id); /* in capitals: "NET" */

#endif
