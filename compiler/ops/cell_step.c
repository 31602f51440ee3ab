/* cell_step.c - one step of an LSTM, GRU or RNN in double, as the operators' texts have it, together with a
 * bound on how far the same step in the cell's own type may be off: every operation adds its rounding, and
 * passes on what its operands are off by. Sums are taken in the order of the generated code. */
#include "ops/recurrent.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

typedef struct Stepping {
    const CellStep *s;
    double u; /* unit roundoff */
    int64_t hidden;
} Stepping;

/* ---- arithmetic ---- */

static Approx exact(double v)
{
    return (Approx){v, 0};
}

/* An infinity is not off: it is the result. */
static Approx approx(double v, double e)
{
    return (Approx){v, isinf(v) ? 0 : e};
}

static Approx add(const Stepping *k, Approx a, Approx b)
{
    double v = a.v + b.v;
    return approx(v, a.e + b.e + k->u * fabs(v));
}

static Approx multiply(const Stepping *k, Approx a, Approx b)
{
    double v = a.v * b.v;
    return approx(v, fabs(a.v) * b.e + fabs(b.v) * a.e + a.e * b.e + k->u * fabs(v));
}

static Approx complement(const Stepping *k, Approx a)
{
    return add(k, exact(1), (Approx){-a.v, a.e});
}

/* x limited to [0, 1] */
static double unit_part(double x)
{
    if (x < 0)
        return 0;
    return x > 1 ? 1 : x;
}

double gate_value(GateFunction f, double x)
{
    switch (f.kind) {
    case GATE_Sigmoid: return 1 / (1 + exp(-x));
    case GATE_Tanh: return tanh(x);
    case GATE_Relu: return x < 0 ? 0 : x;
    case GATE_Affine: return f.alpha * x + f.beta;
    case GATE_LeakyRelu: return x < 0 ? f.alpha * x : x;
    case GATE_ThresholdedRelu: return x > f.alpha ? x : 0;
    case GATE_ScaledTanh: return f.alpha * tanh(f.beta * x);
    case GATE_HardSigmoid: return unit_part(f.alpha * x + f.beta);
    case GATE_Elu: return x < 0 ? f.alpha * expm1(x) : x;
    case GATE_Softsign: return x / (1 + fabs(x));
    case GATE_Softplus: return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
    case NUM_GATE_KINDS: break;
    }
    bug("activation %d", (int)f.kind);
}

/* Lipschitz bound times what x is off by, and the rounding of the function's own steps. */
static double gate_error(const Stepping *k, GateFunction f, Approx x, double y)
{
    double a = fabs(f.alpha), b = fabs(f.beta), size = fabs(x.v), u = k->u;
    switch (f.kind) {
    case GATE_Sigmoid: return x.e / 4 + 4 * u;
    case GATE_Tanh: return x.e + 4 * u;
    case GATE_Relu: return x.e;
    case GATE_Affine: return a * x.e + 2 * u * (a * size + b);
    case GATE_LeakyRelu: return x.e * fmax(1, a) + u * fabs(y);
    case GATE_ThresholdedRelu: return fabs(x.v - f.alpha) <= x.e ? size + x.e : x.e;
    case GATE_ScaledTanh: return a * (b * (x.e + 2 * u * size) + 6 * u);
    case GATE_HardSigmoid: return a * x.e + 4 * u * (1 + b);
    case GATE_Elu: return x.e * fmax(1, a) + 8 * u * (fabs(y) + a);
    case GATE_Softsign: return x.e + 4 * u;
    case GATE_Softplus: return x.e + 8 * u * (1 + fabs(y));
    case NUM_GATE_KINDS: break;
    }
    bug("activation %d", (int)f.kind);
}

static Approx activate(const Stepping *k, int function, Approx x)
{
    const Cell *c = k->s->cell;
    if (fabs(x.v) > c->clip)
        x.v = x.v < 0 ? -c->clip : c->clip;
    GateFunction f = c->functions[k->s->direction][function];
    double y = gate_value(f, x.v);
    return approx(y, gate_error(k, f, x, y));
}

/* ---- sums ---- */

/* Row `row` of R times h; a zero weight drops its input. */
static Approx product(const Stepping *k, int64_t row, const Approx *h)
{
    const double *r = k->s->r + row * k->hidden;
    double sum = 0, size = 0, error = 0, terms = 0;
    for (int64_t i = 0; i < k->hidden; i++) {
        if (r[i] == 0)
            continue;
        sum += r[i] * h[i].v;
        size += fabs(r[i] * h[i].v);
        error += fabs(r[i]) * h[i].e;
        terms++;
    }
    return approx(sum, error + (terms + 8) * k->u * size);
}

static Approx with_bias(const Stepping *k, Approx sum, int which, int64_t row)
{
    const CellStep *s = k->s;
    return s->b ? add(k, sum, exact(s->b[which * s->cell->gates * k->hidden + row])) : sum;
}

/* R * h + X * W + Wb + Rb of unit i of a gate. */
static Approx gate_sum(const Stepping *k, int gate, int64_t i, const Approx *h)
{
    int64_t row = gate * k->hidden + i;
    Approx sum = add(k, product(k, row, h), exact(k->s->xw[row]));
    return with_bias(k, with_bias(k, sum, 0, row), 1, row);
}

static Approx with_peephole(const Stepping *k, Approx sum, int which, int64_t i, Approx c)
{
    const double *p = k->s->p;
    return p ? add(k, sum, multiply(k, exact(p[which * k->hidden + i]), c)) : sum;
}

/* ---- cells ---- */

/* Gates i, o, f, c; peepholes i, o, f; functions f, g, h. */
static void step_lstm(const Stepping *k, const Approx *h)
{
    const CellStep *s = k->s;
    for (int64_t j = 0; j < k->hidden; j++) {
        Approx c = exact(s->c[j]);
        Approx i = activate(k, 0, with_peephole(k, gate_sum(k, 0, j, h), 0, j, c));
        Approx f = s->cell->coupled ? complement(k, i)
                                    : activate(k, 0, with_peephole(k, gate_sum(k, 2, j, h), 2, j, c));
        Approx g = activate(k, 1, gate_sum(k, 3, j, h));
        c = add(k, multiply(k, f, c), multiply(k, i, g));
        Approx o = activate(k, 0, with_peephole(k, gate_sum(k, 1, j, h), 1, j, c));
        s->new_c[j] = c;
        s->new_h[j] = multiply(k, o, activate(k, 2, c));
    }
}

static Approx *approx_new(int64_t n)
{
    Approx *v = calloc((size_t)(n > 0 ? n : 1), sizeof *v);
    if (!v)
        fail("out of memory");
    return v;
}

/* What the reset gate r leaves of unit j of the hidden gate. */
static Approx reset_sum(const Stepping *k, int64_t j, const Approx *r, const Approx *reset_h)
{
    int64_t row = 2 * k->hidden + j;
    if (!k->s->cell->linear_before_reset)
        return gate_sum(k, 2, j, reset_h);
    Approx linear = with_bias(k, product(k, row, reset_h), 1, row);
    return with_bias(k, add(k, multiply(k, r[j], linear), exact(k->s->xw[row])), 0, row);
}

/* Gates z, r, h; functions f, g. */
static void step_gru(const Stepping *k, const Approx *h)
{
    const CellStep *s = k->s;
    Approx *r = approx_new(2 * k->hidden), *reset_h = r + k->hidden;
    for (int64_t j = 0; j < k->hidden; j++) {
        r[j] = activate(k, 0, gate_sum(k, 1, j, h));
        reset_h[j] = s->cell->linear_before_reset ? h[j] : multiply(k, r[j], h[j]);
    }
    for (int64_t j = 0; j < k->hidden; j++) {
        Approx z = activate(k, 0, gate_sum(k, 0, j, h));
        Approx n = activate(k, 1, reset_sum(k, j, r, reset_h));
        s->new_h[j] = add(k, multiply(k, complement(k, z), n), multiply(k, z, h[j]));
    }
    free(r);
}

static void step_rnn(const Stepping *k, const Approx *h)
{
    for (int64_t j = 0; j < k->hidden; j++)
        k->s->new_h[j] = activate(k, 0, gate_sum(k, 0, j, h));
}

void cell_step(const CellStep *s)
{
    const Cell *c = s->cell;
    Stepping k = {s, (c->dtype == DT_F64 ? DBL_EPSILON : (double)FLT_EPSILON) / 2, c->hidden};
    Approx *h = approx_new(c->hidden);
    for (int64_t i = 0; i < c->hidden; i++)
        h[i] = exact(s->h[i]);
    if (c->op == OP_LSTM)
        step_lstm(&k, h);
    else if (c->op == OP_GRU)
        step_gru(&k, h);
    else
        step_rnn(&k, h);
    free(h);
}
