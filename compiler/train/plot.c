/* plot.c - a training run as SVG: loss, accuracy and zeros per layer over the epochs, panels beside each
 * other; where a stage begins, and the epoch that was taken. Hand-written: a few lines of text need no
 * library. */
#include "base/out_file.h"
#include "train/training.h"

#include <math.h>
#include <string.h>

enum {
    WIDTH = 330,
    TOP = 60,
    PLOT_HEIGHT = 170,
    LEFT = 58,
    RIGHT = 14,
    LEGEND = TOP + PLOT_HEIGHT + 44,
    ROW = 15
};
static const char *const colours[] = {"#1f6fb4", "#d95f02", "#1b9e77", "#7570b3",
                                      "#e7298a", "#66a61e", "#a6761d"};
enum { NUM_COLOURS = sizeof colours / sizeof colours[0] };

typedef struct Panel {
    Text *s;
    const Trainer *t;
    int x; /* of its left edge */
    double low, high, step;
    int lines; /* drawn */
} Panel;

/* ---- text ---- */

static void add_text(Text *s, double x, double y, const char *style, const char *text)
{
    text_printf(s, "<text x=\"%.1f\" y=\"%.1f\"%s>%s</text>\n", x, y, style, xml_text(text));
}

static void add_rule(Text *s, double x1, double y1, double x2, double y2, const char *style)
{
    text_printf(s, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1, y1, x2, y2, style);
}

/* ---- axes ---- */

/* 1, 2 or 5 times a power of ten, at least v. */
static double round_step(double v)
{
    double power = pow(10, floor(log10(v)));
    double digit = v / power;
    if (digit <= 1)
        return power;
    if (digit <= 2)
        return power * 2;
    return power * (digit <= 5 ? 5 : 10);
}

static double to_x(const Panel *p, double epoch)
{
    double n = p->t->num_history, share = n > 1 ? (epoch - 1) / (n - 1) : 0.5;
    return p->x + LEFT + share * (WIDTH - LEFT - RIGHT);
}

static double to_y(const Panel *p, double v)
{
    return TOP + (p->high - v) / (p->high - p->low) * PLOT_HEIGHT;
}

static void widen(Panel *p, const double *v)
{
    for (int i = 0; i < p->t->num_history; i++)
        if (isfinite(v[i])) {
            p->low = fmin(p->low, v[i]);
            p->high = fmax(p->high, v[i]);
        }
}

/* Both ends become multiples of a round step. */
static void round_range(Panel *p)
{
    double range = p->high - p->low;
    p->step = round_step(range > 1e-6 ? range / 5 : 0.2);
    p->low = floor(p->low / p->step + 1e-9) * p->step;
    p->high = ceil(p->high / p->step - 1e-9) * p->step;
    if (p->high - p->low < p->step)
        p->high = p->low + p->step;
}

/* 1, then multiples of step, without a 2 beside the 1 */
static int next_epoch(int i, int step)
{
    if (i > 1 || step == 1)
        return i + step;
    return step > 2 ? step : 4;
}

static void add_epochs(const Panel *p)
{
    int n = p->t->num_history, step = n > 12 ? (int)round_step(n / 8.0) : 1;
    for (int i = 1; i <= n; i = next_epoch(i, step))
        add_text(p->s, to_x(p, i), TOP + PLOT_HEIGHT + 15, " text-anchor=\"middle\"", mem_printf("%d", i));
    add_text(p->s, p->x + (WIDTH + LEFT - RIGHT) / 2.0, TOP + PLOT_HEIGHT + 29,
             " text-anchor=\"middle\" fill=\"#666\"", "epoch");
}

static void add_stages(const Panel *p)
{
    const EpochRecord *h = p->t->history;
    int n = p->t->num_history;
    for (int i = 0; i < n && strcmp(h[0].stage, h[n - 1].stage) != 0; i++) {
        if (i && !strcmp(h[i].stage, h[i - 1].stage))
            continue;
        double x = i ? to_x(p, i + 0.5) : to_x(p, 1) - 3;
        if (i)
            add_rule(p->s, x, TOP - 12, x, TOP + PLOT_HEIGHT, "stroke=\"#999\" stroke-dasharray=\"3 3\"");
        add_text(p->s, x + 3, TOP - 4, " fill=\"#666\" font-size=\"10\"", h[i].stage);
    }
}

static void start_panel(Panel *p, const char *title)
{
    add_text(p->s, p->x + LEFT, TOP - 22, " font-weight=\"bold\"", title);
    round_range(p);
    int decimals = p->step < 1 ? (int)-floor(log10(p->step) + 1e-9) : 0;
    for (int i = 0; p->low + i * p->step < p->high + p->step / 2; i++) {
        double v = p->low + i * p->step, y = to_y(p, v);
        add_rule(p->s, p->x + LEFT, y, p->x + WIDTH - RIGHT, y, "stroke=\"#ddd\"");
        add_text(p->s, p->x + LEFT - 6, y + 4, " text-anchor=\"end\"",
                 p->step < 1e-3 ? mem_printf("%.3g", v) : mem_printf("%.*f", decimals, v));
    }
    add_epochs(p);
    add_stages(p);
}

/* ---- lines ---- */

static void add_dot(const Panel *p, int i, double v, const char *colour, double radius)
{
    text_printf(p->s, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\"/>\n", to_x(p, i + 1),
                to_y(p, v), radius, colour);
}

/* style: further attributes of the line. A run of one epoch has dots alone. */
static void add_line(Panel *p, const char *name, const double *v, const char *style)
{
    const char *colour = colours[p->lines % NUM_COLOURS];
    int n = p->t->num_history;
    text_printf(p->s, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"%s points=\"", colour,
                style);
    for (int i = 0; i < n; i++)
        if (isfinite(v[i]))
            text_printf(p->s, "%.1f,%.1f ", to_x(p, i + 1), to_y(p, v[i]));
    text_printf(p->s, "\"/>\n");
    for (int i = 0; i < n && n <= 40; i++)
        if (isfinite(v[i]))
            add_dot(p, i, v[i], colour, 2);
    double y = LEGEND + ROW * p->lines++;
    add_rule(p->s, p->x + LEFT, y - 4, p->x + LEFT + 18, y - 4,
             mem_printf("stroke=\"%s\" stroke-width=\"2\"%s", colour, style));
    add_text(p->s, p->x + LEFT + 24, y, "", short_text(name, 40));
}

static void mark_best(const Panel *p, const double *v)
{
    int i = (int)p->t->best_epoch - 1;
    if (i < 0)
        return;
    text_printf(p->s, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"none\" stroke=\"black\"/>\n",
                to_x(p, i + 1), to_y(p, v[i]));
}

/* ---- panels ---- */

static double record_value(const EpochRecord *r, int what, int layer)
{
    switch (what) {
    case 0: return r->loss;
    case 1: return r->valid_loss;
    case 2: return 100 * r->accuracy;
    default: return 100 * r->zeros[layer];
    }
}

static double *series(const Trainer *t, int what, int layer)
{
    double *v = NEW_ARRAY(double, t->num_history);
    for (int i = 0; i < t->num_history; i++)
        v[i] = record_value(&t->history[i], what, layer);
    return v;
}

static double *constant(const Trainer *t, double value)
{
    double *v = NEW_ARRAY(double, t->num_history);
    for (int i = 0; i < t->num_history; i++)
        v[i] = value;
    return v;
}

static void add_loss(Text *s, const Trainer *t, int x)
{
    Panel p = {.s = s, .t = t, .x = x};
    double *train = series(t, 0, 0), *valid = series(t, 1, 0);
    widen(&p, train);
    widen(&p, valid);
    start_panel(&p, "loss");
    add_line(&p, "training", train, "");
    add_line(&p, "held back, as written", valid, "");
    mark_best(&p, valid);
}

static void add_accuracy(Text *s, const Trainer *t, int x)
{
    Panel p = {.s = s, .t = t, .x = x, .low = 100, .high = 0};
    double *now = series(t, 2, 0), *before = constant(t, 100 * t->of_float.accuracy);
    widen(&p, now);
    widen(&p, before);
    p.low = fmin(p.low, p.high - 1); /* noise fills no panel */
    start_panel(&p, t->loss.kind == LOSS_LABELS ? "accuracy on held-back data, %"
                                                : "agreement on held-back data, %");
    add_line(&p, "as written", now, "");
    add_line(&p, t->num_ternary ? "float, before training" : "before training", before,
             " stroke-dasharray=\"5 3\"");
    mark_best(&p, now);
}

static void add_zeros(Text *s, const Trainer *t, int x)
{
    Panel p = {.s = s, .t = t, .x = x, .high = 100};
    start_panel(&p, "zeros by layer, %");
    for (int k = 0; k < t->num_ternary; k++)
        add_line(&p, node_label(t->ternary[k].p->node), series(t, 3, k), "");
}

static const char *title_of(const Trainer *t)
{
    const char *slash = strrchr(t->g->file, '/'), *name = short_text(slash ? slash + 1 : t->g->file, 60);
    if (!t->best_epoch)
        return mem_printf("%s: %d of %s epochs", name, t->num_history, int_text(t->epochs));
    return mem_printf("%s: %d of %s epochs, the best is epoch %s (circle)", name, t->num_history,
                      int_text(t->epochs), int_text(t->best_epoch));
}

void plot_write(const Trainer *t, const char *path)
{
    Text s = {0};
    int panels = 1 + loss_has_classes(&t->loss) + (t->num_ternary > 0);
    int width = panels * WIDTH, height = LEGEND + ROW * (t->num_ternary > 2 ? t->num_ternary : 2);
    text_printf(&s,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
                "font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%%\" height=\"100%%\" "
                "fill=\"white\"/>\n",
                width, height, width, height);
    add_text(&s, LEFT, 18, " font-size=\"13\"", title_of(t));
    add_loss(&s, t, 0);
    if (loss_has_classes(&t->loss))
        add_accuracy(&s, t, WIDTH);
    if (t->num_ternary)
        add_zeros(&s, t, (panels - 1) * WIDTH);
    text_printf(&s, "</svg>\n");
    OutFile *f = out_open(path);
    fwrite(s.data, 1, s.len, f->f);
    out_commit(f);
    text_free(&s);
}
