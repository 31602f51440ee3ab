/* host.h - people and other programs: tables, progress, temporary files, the C compiler. */
#ifndef TERNC_HOST_H
#define TERNC_HOST_H

#include "base/base.h"

/* ---- report.c, progress.c ---- */

/* A table of text columns for people. Columns are split at '\t'; one whose heading starts with '>' is
 * right-aligned. */
typedef struct Table Table;
Table *table_new(const char *headings);
void table_row(Table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void table_print(const Table *t, FILE *f);
const char *count_text(int64_t n);                /* "1,234,567" */
const char *short_text(const char *s, int bytes); /* cut at a character, ending in "...", when it is longer */
const char *xml_text(const char *s); /* with &lt; and the like: names of models may hold anything */

double seconds_now(void); /* of a clock that only runs forward */

/* A bar on stderr, only on a terminal and only once a second has passed. */
typedef struct Progress {
    const char *label;
    int64_t total;
    bool tty, shown;
    double start, last; /* seconds */
} Progress;
void progress_begin(Progress *p, const char *label, int64_t total);
bool progress_due(const Progress *p); /* whether the next update shows anything: for costly labels */
void progress_update(Progress *p, int64_t done);
void progress_end(Progress *p); /* wipes the bar */

/* ---- cores.c ---- */

int free_cores(void); /* that this process may use, 1 to 64 */
/* Of the files below root, "" for the system's: the time that control groups grant, in cores; 0: no limit. */
double granted_cores(const char *root);

/* ---- cc.c ---- */

const char *temp_folder(void);        /* a new one, removed with all in it when the process exits, */
void temp_remove(const char *folder); /* or now */
void file_write(const char *path, const void *data, size_t len);
void file_write_lines(const char *path, const char *const *lines); /* NULL ends them */
/* Runs argv[0] from PATH and waits; what it printed is added to `out` and `err`. Returns its exit code, 128 +
 * the signal that ended it, or 127 with a message in `err` when it cannot be run. */
int run_program(char *const argv[], Text *out, Text *err);
FILE *temp_file(void);            /* for what a program prints, */
void read_back(FILE *f, Text *t); /* which this adds to t; closes f */
/* The exit code of a child, as run_program's; *child -1: of the first that ends, which *child names then. */
int wait_program(int *child);
bool program_exists(const char *name); /* in PATH */
/* The C compiler on files and further arguments (NULL at the end); cc and flags are split at spaces. cc_try
 * returns false, with the compiler's messages in `err`, where cc_compile fails. */
bool cc_try(const char *cc, const char *flags, const char *const *files, Text *err);
void cc_compile(const char *cc, const char *flags, const char *const *files);
_Noreturn void cc_refused(const char *cc, const char *flags, Text *err);
/* Each source by itself, as many at a time as cores are free, with these further arguments: the objects, NULL
 * at the end. NULL, with the compiler's messages in `err`, when one is refused. */
const char **cc_objects(const char *cc, const char *flags, const char *const *sources,
                        const char *const *more, Text *err);
/* Objects and further arguments as cc_try. */
bool cc_link(const char *cc, const char *flags, const char *const *objects, const char *const *more,
             Text *err);
/* cc_try without waiting: returns the child for wait_program; all that the compiler prints goes to err. */
int cc_start(const char *cc, const char *flags, const char *const *files, FILE *err);

#endif
