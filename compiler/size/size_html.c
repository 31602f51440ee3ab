/* size_html.c - the measurements as one HTML file without further parts: tables, and bar charts as inline
 * SVG. */
#include "size/size.h"

#include <string.h>

enum {
    BAR_HEIGHT = 18,
    BAR_PITCH = 24,
    LABEL_WIDTH = 300,
    CHART_WIDTH = 560,
    VALUE_WIDTH = 110,
    NUM_COLOURS = 10
};

static const char style[] =
    "<style>\n"
    ":root { color-scheme: light dark; --ink: #1c2126; --soft: #66707a; --line: #d5dade; --paper: #fff;\n"
    "  --c0: #3b6ea8; --c1: #d98032; --c2: #4f9a5b; --c3: #b9484e; --c4: #8063a8; --c5: #8a6a50; --c6: "
    "#c873ac;\n"
    "  --c7: #7d858c; --c8: #a9a63a; --c9: #3fa3b0; --shared: #a9b1b8; }\n"
    "@media (prefers-color-scheme: dark) { :root { --ink: #e4e8eb; --soft: #98a2ab; --line: #3a4249;\n"
    "  --paper: #15191d; --shared: #59626a; } }\n"
    "body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: "
    "1060px;\n"
    "  margin: 2em auto; padding: 0 1em; }\n"
    "h1 { font-size: 1.5em; } h2 { font-size: 1.2em; margin-top: 2em; } h3 { font-size: 1em; margin-top: "
    "1.6em; }\n"
    "p { color: var(--soft); } .scroll { overflow-x: auto; }\n"
    "table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }\n"
    "th, td { text-align: left; padding: 2px 10px; border-bottom: 1px solid var(--line); white-space: "
    "nowrap; }\n"
    "th.n, td.n { text-align: right; } tr.total td { font-weight: 600; }\n"
    "svg { max-width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--ink); }\n"
    ".key span { margin-right: 1.2em; white-space: nowrap; } .key i { display: inline-block; width: 0.8em;\n"
    "  height: 0.8em; margin-right: 0.4em; }\n"
    "pre { overflow-x: auto; border: 1px solid var(--line); padding: 8px; }\n"
    "</style>\n";

/* ---- pieces ---- */

static void print_cells(FILE *f, const char *tag, const char *line)
{
    char *rest = mem_strdup(line);
    for (char *cell; (cell = strsep(&rest, "\t"));) {
        bool number = cell[0] == '>';
        fprintf(f, "<%s%s>%s</%s>", tag, number ? " class=\"n\"" : "", xml_text(cell + number), tag);
    }
}

static void print_row(FILE *f, const char *line)
{
    fprintf(f, "<tr>");
    print_cells(f, "td", line);
    fprintf(f, "</tr>\n");
}

static void open_table(FILE *f, const char *headings)
{
    fprintf(f, "<div class=\"scroll\"><table>\n<thead><tr>");
    print_cells(f, "th", headings);
    fprintf(f, "</tr></thead>\n<tbody>\n");
}

static void close_table(FILE *f)
{
    fprintf(f, "</tbody></table></div>\n");
}

/* ---- what the colours mean ---- */

static void print_key(FILE *f, const char *colour, const char *text)
{
    fprintf(f, "<span><i style=\"background: var(--%s)\"></i>%s</span>\n", colour, xml_text(text));
}

static void print_layer_keys(const SizeRow *r, FILE *f)
{
    fprintf(f, "<p class=\"key\">");
    for (int i = 0; i < r->num_layers; i++)
        print_key(f, mem_printf("c%d", i % NUM_COLOURS),
                  mem_printf("%d %s", i, short_text(r->layers[i].source, 40)));
    print_key(f, "shared", "shared");
    fprintf(f, "</p>\n");
}

static void print_ram_keys(const SizeRow *r, FILE *f)
{
    (void)r;
    fprintf(f, "<p class=\"key\">");
    print_key(f, "c0", "arena");
    print_key(f, "c1", "other data, and constants that are copied to RAM");
    print_key(f, "c2", "stack");
    fprintf(f, "</p>\n");
}

/* ---- charts: one bar per combination, in segments ---- */

typedef struct Chart {
    FILE *f;
    int64_t largest; /* bytes of the longest bar */
    int bars;
    double x; /* where the next segment starts */
} Chart;

static Chart open_chart(FILE *f, const char *title, int bars, int64_t largest)
{
    int width = LABEL_WIDTH + CHART_WIDTH + VALUE_WIDTH, height = bars * BAR_PITCH + 4;
    fprintf(f,
            "<svg class=\"chart\" role=\"img\" aria-label=\"%s\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d "
            "%d\">\n",
            xml_text(title), width, height, width, height);
    return (Chart){.f = f, .largest = largest ? largest : 1};
}

static void close_chart(Chart *c)
{
    fprintf(c->f, "</svg>\n");
}

static void begin_bar(Chart *c, const char *label)
{
    fprintf(c->f, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", LABEL_WIDTH - 8,
            c->bars * BAR_PITCH + BAR_HEIGHT - 4, xml_text(short_text(label, 48)));
    c->x = LABEL_WIDTH;
}

static void add_segment(Chart *c, int64_t bytes, const char *colour, double opacity, const char *label)
{
    if (bytes <= 0)
        return;
    double width = CHART_WIDTH * (double)bytes / (double)c->largest;
    fprintf(c->f,
            "<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" fill=\"var(--%s)\" fill-opacity=\"%g\" "
            "data-bytes=\"%s\"><title>%s: %s bytes</title></rect>\n",
            c->x, c->bars * BAR_PITCH + 1, width, BAR_HEIGHT, colour, opacity, int_text(bytes),
            xml_text(label), count_text(bytes));
    c->x += width;
}

static void end_bar(Chart *c, const char *value)
{
    fprintf(c->f, "<text x=\"%.2f\" y=\"%d\">%s</text>\n", c->x + 6, c->bars * BAR_PITCH + BAR_HEIGHT - 4,
            value);
    c->bars++;
}

static const char *row_label(const SizeRow *r)
{
    return mem_printf("%s, %s, %s", r->target->name, r->method, r->lowering);
}

/* A layer's code is darker than its constants. */
static void add_layer_bar(Chart *c, const SizeRow *r)
{
    begin_bar(c, row_label(r));
    if (!r->by_layer) {
        add_segment(c, r->code, "shared", 1, "code");
        add_segment(c, r->constants, "shared", 0.6, "constants");
    }
    for (int i = 0; r->by_layer && i < r->num_layers; i++) {
        const SizeLayer *l = &r->layers[i];
        const char *colour = mem_printf("c%d", l->index % NUM_COLOURS);
        add_segment(c, l->code, colour, 1, mem_printf("layer %d, code", l->index));
        add_segment(c, l->constants, colour, 0.6, mem_printf("layer %d, constants", l->index));
    }
    add_segment(c, shared_code(r), "shared", 1, "shared code");
    add_segment(c, shared_constants(r), "shared", 0.6, "shared constants");
    add_segment(c, r->data, "shared", 0.3, "data");
    end_bar(c, count_text(row_flash(r)));
}

static void add_ram_bar(Chart *c, const SizeRow *r)
{
    int64_t stack = r->stack > 0 ? r->stack : 0;
    begin_bar(c, row_label(r));
    add_segment(c, r->arena, "c0", 1, "arena");
    add_segment(c, row_ram(r) - r->arena - stack, "c1", 1, "other static data");
    add_segment(c, stack, "c2", 1, "stack");
    end_bar(c, mem_printf("%s%s", count_text(row_ram(r)), r->stack < 0 ? " + stack" : ""));
}

typedef struct ChartKind {
    const char *title;
    int64_t (*value)(const SizeRow *r);
    void (*add)(Chart *c, const SizeRow *r);
    void (*keys)(const SizeRow *r, FILE *f);
} ChartKind;

static const ChartKind flash_chart = {"Flash: code and constants of each layer, bytes", row_flash,
                                      add_layer_bar, print_layer_keys};
static const ChartKind ram_chart = {"RAM: arena, static data, stack, bytes", row_ram, add_ram_bar,
                                    print_ram_keys};

/* Bars of one target stand together: they are what is compared. */
static void print_chart(const SizeReport *s, int first, int end, const ChartKind *kind, FILE *f)
{
    int64_t largest = 0;
    int bars = 0;
    for (int i = first; i < end; i++) {
        int64_t v = s->rows[i].error ? 0 : kind->value(&s->rows[i]);
        largest = v > largest ? v : largest;
        bars += !s->rows[i].error;
    }
    fprintf(f, "<h3>%s</h3>\n", xml_text(kind->title));
    kind->keys(&s->rows[first], f);
    Chart c = open_chart(f, kind->title, bars, largest);
    for (int i = first; i < end && s->rows[i].method == s->rows[first].method &&
                        s->rows[i].lowering == s->rows[first].lowering;
         i++)
        for (int k = first; k < end; k++)
            if (s->rows[k].target == s->rows[i].target && !s->rows[k].error)
                kind->add(&c, &s->rows[k]);
    close_chart(&c);
}

/* ---- tables ---- */

static void print_totals(const SizeReport *s, int first, int end, FILE *f)
{
    open_table(f, "method\tlowering\ttarget\t>code\t>constants\t>data\t>flash\t>arena\t>stack\t>RAM\t>bits/"
                  "weight\t>entropy\t"
                  "not counted");
    for (int i = first; i < end; i++) {
        const SizeRow *r = &s->rows[i];
        if (r->error) {
            print_row(f, mem_printf("%s\t%s\t%s\tfailed", r->method, r->lowering, r->target->name));
            continue;
        }
        Text missing = {0};
        text_printf(&missing, "%s", r->num_unlinked ? "" : "-");
        for (int k = 0; k < r->num_unlinked; k++)
            text_printf(&missing, "%s%s", k ? " " : "", r->unlinked[k]);
        print_row(f, mem_printf("%s\t%s\t%s\t>%s\t>%s\t>%s\t>%s\t>%s\t>%s\t>%s\t>%.2f\t>%.2f\t%s", r->method,
                                r->lowering, r->target->name, count_text(r->code), count_text(r->constants),
                                count_text(r->data), count_text(row_flash(r)), count_text(r->arena),
                                r->stack < 0 ? "?" : count_text(r->stack), count_text(row_ram(r)),
                                bits_per_weight(row_flash(r), r->weights), r->entropy, missing.data));
        text_free(&missing);
    }
    close_table(f);
}

static void print_layers(const SizeRow *r, FILE *f)
{
    fprintf(f, "<details><summary>%s: layers</summary>\n", xml_text(row_label(r)));
    open_table(f, "layer\tfrom\tform\t>weights\t>zeros\t>code\t>constants\t>bits/weight\t>entropy");
    for (int i = 0; i < r->num_layers; i++) {
        const SizeLayer *l = &r->layers[i];
        print_row(f, mem_printf("%d\t%s\t%s %s\t>%s\t>%s\t>%s\t>%s\t>%.2f\t>%.2f", l->index, l->source,
                                l->lowering, l->kind, count_text(l->weights), count_text(l->zeros),
                                count_text(l->code), count_text(l->constants),
                                bits_per_weight(l->code + l->constants, l->weights), l->entropy));
    }
    for (int i = 0; i < r->num_shared; i++)
        print_row(f, mem_printf("shared\t%s\t%s\t\t\t>%s\t>%s\t\t", r->shared[i].name, r->shared[i].what,
                                count_text(r->shared[i].code), count_text(r->shared[i].constants)));
    print_row(f, mem_printf("total\t\t\t>%s\t\t>%s\t>%s\t>%.2f\t>%.2f", count_text(r->weights),
                            count_text(r->code), count_text(r->constants),
                            bits_per_weight(r->code + r->constants, r->weights), r->entropy));
    close_table(f);
    fprintf(f, "</details>\n");
}

static void print_model(const SizeReport *s, int first, int end, FILE *f)
{
    fprintf(f, "<section>\n<h2>%s</h2>\n", xml_text(s->rows[first].model));
    print_totals(s, first, end, f);
    print_chart(s, first, end, &flash_chart, f);
    print_chart(s, first, end, &ram_chart, f);
    for (int i = first; i < end; i++)
        if (s->rows[i].error)
            fprintf(f, "<h3>%s failed</h3>\n<pre>%s</pre>\n", xml_text(row_label(&s->rows[i])),
                    xml_text(s->rows[i].error));
        else if (s->rows[i].by_layer)
            print_layers(&s->rows[i], f);
    fprintf(f, "</section>\n");
}

void size_print_html(const SizeReport *s, FILE *f)
{
    fprintf(f,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width\">\n<title>ternc: code "
            "size</title>\n%s</head>\n"
            "<body>\n<h1>Code size</h1>\n",
            style);
    fprintf(f,
            "<p>Made by ternc %s with %s, %s, <code>--optimize %s</code>. Each layer has a colour: code in "
            "full, its "
            "constants lighter; grey is shared. Entropy is what the weights need at least, in bits per "
            "weight, without "
            "a code for whole sequences.</p>\n",
            TERNC_VERSION, xml_text(s->compiler), xml_text(s->cflags), s->optimize);
    for (int first = 0; first < s->count; first = size_end_of_model(s, first))
        print_model(s, first, size_end_of_model(s, first), f);
    fprintf(f, "</body>\n</html>\n");
}
