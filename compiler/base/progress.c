/* progress.c - a bar on stderr for whatever takes longer than a second, and only where someone watches: never
 * in a file, a pipe or a dumb terminal. */
#include "base/host.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_begin(Progress *p, const char *label, int64_t total)
{
    const char *term = getenv("TERM");
    *p = (Progress){.label = label, .total = total, .start = seconds_now()};
    p->tty = isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
}

bool progress_due(const Progress *p)
{
    double t = seconds_now();
    return p->tty && t - p->start >= 1 && t - p->last >= 0.1;
}

/* A line that wraps could not be wiped. */
static int columns(void)
{
    struct winsize size;
    return !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 80;
}

static int time_left(char *text, size_t size, double seconds)
{
    long long s = (long long)(seconds + 0.5), minutes = s / 60;
    if (s < 120)
        return snprintf(text, size, "%lld s left", s);
    if (minutes < 60)
        return snprintf(text, size, "%lld min left", minutes);
    return snprintf(text, size, "%lld h %lld min left", minutes / 60, minutes % 60);
}

/* The bar takes what label and time leave; where that is too little, there is none, and the label is cut. */
void progress_update(Progress *p, int64_t done)
{
    static const char full[] = "##############################";
    double t = seconds_now(), passed = t - p->start;
    if (!progress_due(p))
        return;
    p->last = t;
    p->shown = true;
    double share = p->total > 0 ? (double)done / (double)p->total : 1;
    char left[64];
    int room = columns() - 2 - time_left(left, sizeof left, done > 0 ? passed / share - passed : 0);
    int label = (int)strlen(p->label), width = room - label - 3;
    width = width < (int)sizeof full - 1 ? width : (int)sizeof full - 1;
    if (width < 5)
        fprintf(stderr, "\r\033[K%.*s %s", room < 0 ? 0 : room, p->label, left);
    else
        fprintf(stderr, "\r\033[K%s [%.*s%*s] %s", p->label, (int)(share * width), full,
                width - (int)(share * width), "", left);
}

void progress_end(Progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}
