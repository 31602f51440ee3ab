/* shrink.c - a finding with fewer and smaller choices. */
#include "random/try.h"
#include "base/host.h"

#include <string.h>

typedef struct Shrink {
    char kind[sizeof((Outcome *)0)->kind];
    Choices best;
    Verdict verdict;
    double end; /* of the time */
} Shrink;

static bool still_found(Shrink *s, const Choices *c)
{
    if (seconds_now() > s->end)
        return false;
    const Outcome *o = try_net(0, 0, c, NULL);
    if (o->verdict != s->verdict || strcmp(o->kind, s->kind) != 0)
        return false;
    s->best = o->choices;
    return true;
}

static bool without(Shrink *s, int from, int to)
{
    Choices c = s->best;
    memmove(c.made + from, c.made + to, (size_t)(c.count - to) * sizeof *c.made);
    c.count -= to - from;
    return still_found(s, &c);
}

/* Operators, from the last to the first. */
static bool drop_steps(Shrink *s)
{
    bool better = false;
    for (int k = s->best.num_steps - 1; k >= 0; k--)
        if (k < s->best.num_steps)
            better |= without(s, s->best.steps[k], s->best.steps[k + 1]);
    return better;
}

static bool with(Shrink *s, int i, int v)
{
    Choices c = s->best;
    c.made[i] = (uint16_t)v;
    return still_found(s, &c);
}

/* Choice by choice: 0, or else the next smaller ones. */
static bool lower_choices(Shrink *s)
{
    bool better = false;
    for (int i = 0; i < s->best.count; i++) {
        int v = s->best.made[i];
        if (v == 0)
            continue;
        bool done = with(s, i, 0);
        for (int smaller = 1; !done && smaller < v && smaller < 4; smaller++)
            done = with(s, i, smaller);
        better |= done;
    }
    return better;
}

/* Single choices, which moves those behind. */
static bool drop_choices(Shrink *s)
{
    bool better = false;
    for (int i = 0; i < s->best.count; i++)
        better |= without(s, i, i + 1);
    return better;
}

Choices shrink(const Outcome *first, double seconds)
{
    Shrink *s = NEW(Shrink);
    memcpy(s->kind, first->kind, sizeof s->kind);
    s->verdict = first->verdict;
    s->best = first->choices;
    s->end = seconds_now() + seconds;
    while (drop_steps(s))
        ;
    while (lower_choices(s) || drop_steps(s))
        ;
    if (drop_choices(s))
        lower_choices(s);
    return s->best;
}
