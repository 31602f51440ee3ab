/* share.c - common subexpressions among the sums of one block of outputs.
 *
 * Greedy pairs, after Tridgell et al., "Unrolling Ternary Neural Networks" (arXiv 1909.04509): the pair of
 * variables that most sums add or subtract together, with equal or with opposite sign, becomes a temporary,
 * which may pair again. Only few taps are looked at at once, so that most temporaries stay in
 * registers. */
#include "layers/layers.h"

/* The sums that hold variables a and b with equal signs (sign 1) or opposite ones (-1), those that add a
 * apart from those that subtract it. */
typedef struct Holders {
    uint32_t adding, subtracting;
} Holders;

static Holders pair_holders(const Sharing *s, int a, int b, int sign)
{
    if (sign > 0)
        return (Holders){s->plus[a] & s->plus[b], s->minus[a] & s->minus[b]};
    return (Holders){s->plus[a] & s->minus[b], s->minus[a] & s->plus[b]};
}

static void count_uses(Sharing *s, int v)
{
    s->uses[v] = __builtin_popcount(s->plus[v] | s->minus[v]);
}

/* The pair that occurs most often; the first of equals. Returns how often. No pair occurs more often than
 * either of its variables, so most need no look. */
static int best_pair(const Sharing *s, SharedPair *best)
{
    int most = 1;
    for (int a = 0; a < s->vars; a++)
        for (int b = a + 1; b < s->vars && s->uses[a] > most; b++)
            for (int sign = 1; sign >= -1 && s->uses[b] > most; sign -= 2) {
                Holders h = pair_holders(s, a, b, sign);
                int count = __builtin_popcount(h.adding | h.subtracting);
                if (count > most) {
                    most = count;
                    *best = (SharedPair){a, b, sign};
                }
            }
    return most;
}

static void substitute(Sharing *s, const SharedPair *p)
{
    Holders h = pair_holders(s, p->a, p->b, p->sign);
    uint32_t others = ~(h.adding | h.subtracting);
    s->plus[s->vars] = h.adding;
    s->minus[s->vars] = h.subtracting;
    s->plus[p->a] &= others;
    s->minus[p->a] &= others;
    s->plus[p->b] &= others;
    s->minus[p->b] &= others;
    s->pairs[s->vars - s->taps] = *p;
    count_uses(s, p->a);
    count_uses(s, p->b);
    count_uses(s, s->vars++);
}

void share_pairs(Sharing *s)
{
    SharedPair p;
    for (int v = 0; v < s->vars; v++)
        count_uses(s, v);
    while (s->vars < s->taps + MAX_PAIRS && best_pair(s, &p) >= 2)
        substitute(s, &p);
}

int sharing_adds(const Sharing *s)
{
    int adds = s->vars - s->taps;
    for (int v = 0; v < s->vars; v++)
        adds += __builtin_popcount(s->plus[v] | s->minus[v]);
    return adds;
}
