/* plot.c - a training run as SVG: loss, accuracy and zeros per layer over the epochs, three panels beside each other.
 * Hand-written: a few lines of text need no library. */
#include "../passes/train.h"

#include <math.h>

enum { WIDTH = 320, HEIGHT = 220, MARGIN = 46 };
static const char *const colours[] = {"#1f6fb4", "#d95f02", "#1b9e77", "#7570b3", "#e7298a", "#66a61e", "#a6761d"};
enum { NUM_COLOURS = sizeof colours / sizeof colours[0] };

typedef struct Panel {
    Text *s;
    int x; /* of its left edge */
    double low, high;
    int64_t epochs;
    int lines; /* drawn */
} Panel;

static double to_x(const Panel *p, int64_t epoch)
{
    double share = p->epochs > 1 ? (double)(epoch - 1) / (double)(p->epochs - 1) : 0.5;
    return (double)p->x + MARGIN + share * (WIDTH - MARGIN - 12);
}

static double to_y(const Panel *p, double v)
{
    return 24 + (p->high - v) / (p->high - p->low) * (HEIGHT - 64);
}

static void start_panel(Panel *p, const char *title)
{
    if (!(p->high > p->low))
        p->high = p->low + 1;
    text_printf(p->s, "<text x=\"%d\" y=\"14\" font-weight=\"bold\">%s</text>\n", p->x + MARGIN, title);
    for (int i = 0; i <= 4; i++) {
        double v = p->low + (p->high - p->low) * i / 4, y = to_y(p, v);
        text_printf(p->s,
                    "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%.1f\" "
                    "text-anchor=\"end\">%.4g</text>\n",
                    p->x + MARGIN, y, p->x + WIDTH - 12, y, p->x + MARGIN - 4, y + 4, v);
    }
    text_printf(p->s, "<text x=\"%d\" y=\"%d\">epoch 1 to %lld</text>\n", p->x + MARGIN, HEIGHT - 22,
                (long long)p->epochs);
}

/* The names of layers come from the model. */
static void add_escaped(Text *s, const char *name)
{
    for (; *name; name++)
        switch (*name) {
        case '<': text_printf(s, "&lt;"); break;
        case '>': text_printf(s, "&gt;"); break;
        case '&': text_printf(s, "&amp;"); break;
        case '"': text_printf(s, "&quot;"); break;
        default: text_printf(s, "%c", *name);
        }
}

static void add_line(Panel *p, const char *name, const double *v, int count)
{
    const char *colour = colours[p->lines % NUM_COLOURS];
    text_printf(p->s, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" points=\"", colour);
    for (int i = 0; i < count; i++)
        if (isfinite(v[i]))
            text_printf(p->s, "%.1f,%.1f ", to_x(p, i + 1), to_y(p, v[i]));
    text_printf(p->s, "\"/>\n<text x=\"%d\" y=\"%d\" fill=\"%s\">", p->x + MARGIN, HEIGHT + 12 * p->lines - 6, colour);
    add_escaped(p->s, name);
    text_printf(p->s, "</text>\n");
    p->lines++;
}

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

static void widen(Panel *p, const double *v, int count)
{
    for (int i = 0; i < count; i++) {
        p->low = fmin(p->low, v[i]);
        p->high = fmax(p->high, v[i]);
    }
}

static void add_panels(Text *s, const Trainer *t)
{
    int n = t->num_history;
    Panel loss = {s, 0, 0, 0, n, 0}, accuracy = {s, WIDTH, 100, 0, n, 0}, zeros = {s, 2 * WIDTH, 0, 100, n, 0};
    double *train = series(t, 0, 0), *valid = series(t, 1, 0), *ternary = series(t, 2, 0);
    double *before = NEW_ARRAY(double, n);
    for (int i = 0; i < n; i++)
        before[i] = 100 * t->of_float.accuracy;
    widen(&loss, train, n);
    widen(&loss, valid, n);
    widen(&accuracy, ternary, n);
    widen(&accuracy, before, n);
    start_panel(&loss, "loss");
    add_line(&loss, "training", train, n);
    add_line(&loss, "held back", valid, n);
    start_panel(&accuracy, "accuracy, %");
    add_line(&accuracy, "as written", ternary, n);
    add_line(&accuracy, "float, before", before, n);
    start_panel(&zeros, "zeros, %");
    for (int k = 0; k < t->num_ternary; k++)
        add_line(&zeros, t->ternary[k].p->t->name, series(t, 3, k), n);
}

void plot_write(const Trainer *t, const char *path)
{
    Text s = {0};
    int height = HEIGHT + 12 * (t->num_ternary > 2 ? t->num_ternary : 2);
    text_printf(&s,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" "
                "font-size=\"11\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
                3 * WIDTH, height);
    add_panels(&s, t);
    text_printf(&s, "</svg>\n");
    OutFile *f = out_open(path);
    fwrite(s.data, 1, s.len, f->f);
    out_commit(f);
    text_free(&s);
}
