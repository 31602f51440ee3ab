/* share.c - common subexpressions among the sums of one block of outputs.
 *
 * Greedy pairs, after Tridgell et al., "Unrolling Ternary Neural Networks" (arXiv 1909.04509): the pair of variables
 * that most sums add or subtract together, with equal or with opposite sign, becomes a temporary, which may pair again.
 * Only the few taps of one window are looked at, so that all temporaries stay in registers. */
#include "emitter.h"

#include <string.h>

/* Sums that hold the pair: same[0] with equal signs, same[1] with opposite ones. */
static void count_pair(const Sharing *s, int a, int b, int same[2])
{
    same[0] = same[1] = 0;
    for (int j = 0; j < s->sums; j++)
        if (s->codes[j][a] && s->codes[j][b])
            same[s->codes[j][a] != s->codes[j][b]]++;
}

/* The pair that occurs most often; the first of equals. Returns how often. */
static int best_pair(const Sharing *s, SharedPair *best)
{
    int most = 0;
    for (int a = 0; a < s->vars; a++)
        for (int b = a + 1; b < s->vars; b++) {
            int same[2];
            count_pair(s, a, b, same);
            for (int opposite = 0; opposite < 2; opposite++)
                if (same[opposite] > most) {
                    most = same[opposite];
                    *best = (SharedPair){a, b, opposite ? -1 : 1};
                }
        }
    return most;
}

static void substitute(Sharing *s, const SharedPair *p)
{
    for (int j = 0; j < s->sums; j++) {
        int8_t *c = s->codes[j];
        if (!c[p->a] || c[p->a] * c[p->b] != p->sign)
            continue;
        c[s->vars] = c[p->a];
        c[p->a] = c[p->b] = 0;
    }
    s->pairs[s->vars - s->taps] = *p;
    s->vars++;
}

void share_pairs(Sharing *s)
{
    SharedPair p;
    while (s->vars < s->taps + MAX_PAIRS && best_pair(s, &p) >= 2)
        substitute(s, &p);
}

int sharing_adds(const Sharing *s)
{
    int adds = s->vars - s->taps;
    for (int j = 0; j < s->sums; j++)
        for (int v = 0; v < s->vars; v++)
            adds += s->codes[j][v] != 0;
    return adds;
}
