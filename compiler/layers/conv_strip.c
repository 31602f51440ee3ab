/* conv_strip.c - the geometry of generated convolutions: parts, taps, strips, and the memory they need.
 *
 * Every form works on a strip of output rows: the input rows that the strip reads are staged into zero-padded
 * planes (or read where they lie, when nothing is padded or strided), a block of output channels is
 * accumulated, and the epilogue writes it out. So no padded copy of a whole activation is ever stored.
 * Strided convolutions stage one plane per phase of the stride, so that every tap reads with unit stride. */
#include "layers/layers.h"

#include <math.h>

enum {
    STRIDED = 4,          /* inputs that are staged with a stride, which no vectors do, count as that many */
    MOVED = 2,            /* one such that is staged already and only moved is this part of one */
    SPLIT_SCRATCH = 512,  /* bytes of a strip whose table is decoded anew for each */
    SMALL_PAIRS = 6144,   /* likewise of words of pairs */
    SMALL_SCRATCH = 8192, /* bytes that a strip may always take */
    MAX_SUMMED = 512,     /* elements of a plane whose sums of four are made */
    MAX_POSITIONS = 256,  /* more gain nothing: the code has long been amortised */
};

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t round_up(int64_t n, int64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

bool reads_in_place(const Layer *l)
{
    return l->kind == LAYER_CONV && l->form->unstaged;
}

double outgrown(double adds)
{
    enum { CACHED_ADDS = 5000 /* what 32 kB of instructions hold */ };
    return adds > CACHED_ADDS ? adds : 0;
}

/* ---- taps ---- */

static int64_t *new_offsets(const Layer *l)
{
    return NEW_ARRAY(int64_t, l->kh * l->kw);
}

/* Words of codes that are those of columns: a copy is staged for each word of a row of the kernel. */
static bool stages_columns(const Layer *l)
{
    return layer_format(l)->bytes && packs_columns(l);
}

static int64_t staged_columns(const Layer *l)
{
    return stages_columns(l) ? words_of(l->kw) : l->kw;
}

/* The upper half of the outputs, of pooled ones where they are; the other half goes with it. */
static void halve_rows(const Layer *l, ConvStrip *s)
{
    ConvPart *p = &s->parts[0];
    int64_t half = ((l->pool.kind ? l->pool.oh : l->oh) + 1) / 2;
    s->second = l->pool.kind ? half * l->pool.sh : half;
    if (!l->pool.kind) {
        p->rows = half;
        return;
    }
    p->rows = (half - 1) * l->pool.sh + l->pool.kh;
    p->cols = (l->pool.ow - 1) * l->pool.sw + l->pool.kw;
}

/* Whether what is staged is moved, not the place where a tap reads it. */
static bool moves_columns(const Layer *l, const ConvStrip *s)
{
    return s->dense || stages_columns(l);
}

static void conv_parts(const Layer *l, ConvStrip *s)
{
    ConvPart *p = s->parts = NEW(ConvPart);
    s->num_parts = 1;
    *p = (ConvPart){.row_step = 1, .col_step = 1, .rows = l->oh, .cols = l->ow};
    if (l->pool.kind)
        p->rows = (l->pool.oh - 1) * l->pool.sh + l->pool.kh;
    if (layer_format(l)->pairs)
        halve_rows(l, s);
    s->top = l->pt;
    s->left = l->pl;
    s->unstaged = reads_in_place(l);
    if (s->unstaged)
        s->pitch = l->ow;
    else
        s->pitch = l->direct ? l->iw : l->ow + (moves_columns(l, s) ? 0 : (l->kw - 1) * l->dw / l->sw);
    s->phase_rows = l->sh < (l->kh - 1) * l->dh + 1 ? l->sh : (l->kh - 1) * l->dh + 1;
    s->phase_cols = l->sw < (l->kw - 1) * l->dw + 1 ? l->sw : (l->kw - 1) * l->dw + 1;
    if (moves_columns(l, s))
        s->phase_cols = staged_columns(l);
    s->taps = l->kh * staged_columns(l);
}

static void conv_offsets(const Layer *l, ConvStrip *s)
{
    const int64_t cols = staged_columns(l), phase_plane = s->stage_rows * s->pitch;
    int64_t *koff = new_offsets(l);
    const bool moves = moves_columns(l, s);
    for (int64_t ky = 0; ky < l->kh; ky++)
        for (int64_t kx = 0; kx < cols; kx++) {
            int64_t y = ky * l->dh, x = kx * l->dw;
            int64_t phase = y % l->sh * s->phase_cols + (moves ? kx : x % l->sw);
            koff[ky * cols + kx] = phase * phase_plane + y / l->sh * s->pitch + (moves ? 0 : x / l->sw);
        }
    s->parts[0].koff = koff;
}

/* Whether output residue r is fed by tap k along one axis, and from which input position relative to the
 * part's q. */
static bool transposed_tap(int64_t r, int64_t pad, int64_t k, int64_t dilation, int64_t stride,
                           int64_t *offset)
{
    int64_t d = r + pad - k * dilation;
    *offset = d / stride;
    return d % stride == 0;
}

/* The range of input offsets over all residues and taps of one axis. */
static void transposed_range(int64_t stride, int64_t pad, int64_t kernel, int64_t dilation, int64_t *lo,
                             int64_t *hi)
{
    *lo = *hi = 0;
    for (int64_t r = 0; r < stride; r++)
        for (int64_t k = 0, o; k < kernel; k++)
            if (transposed_tap(r, pad, k, dilation, stride, &o)) {
                *lo = o < *lo ? o : *lo;
                *hi = o > *hi ? o : *hi;
            }
}

static const int64_t *transposed_offsets(const Layer *l, const ConvStrip *s, int64_t ry, int64_t rx)
{
    int64_t *koff = new_offsets(l), y, x;
    for (int64_t ky = 0; ky < l->kh; ky++)
        for (int64_t kx = 0; kx < l->kw; kx++) {
            bool in_y = transposed_tap(ry, l->pt, ky, l->dh, l->sh, &y);
            bool in_x = transposed_tap(rx, l->pl, kx, l->dw, l->sw, &x);
            koff[ky * l->kw + kx] = in_y && in_x ? (y + s->top) * s->pitch + x + s->left : NO_TAP;
        }
    return koff;
}

static void transposed_parts(const Layer *l, ConvStrip *s, int64_t *halo)
{
    int64_t ylo, yhi, xlo, xhi;
    transposed_range(l->sh, l->pt, l->kh, l->dh, &ylo, &yhi);
    transposed_range(l->sw, l->pl, l->kw, l->dw, &xlo, &xhi);
    s->top = -ylo;
    s->left = -xlo;
    s->pitch = (l->ow + l->sw - 1) / l->sw + xhi - xlo;
    s->phase_rows = s->phase_cols = 1;
    s->taps = l->kh * l->kw;
    *halo = yhi - ylo;
    s->parts = NEW_ARRAY(ConvPart, l->sh * l->sw);
    for (int64_t ry = 0; ry < l->sh && ry < l->oh; ry++)
        for (int64_t rx = 0; rx < l->sw && rx < l->ow; rx++)
            s->parts[s->num_parts++] = (ConvPart){.row0 = ry,
                                                  .row_step = l->sh,
                                                  .col0 = rx,
                                                  .col_step = l->sw,
                                                  .rows = (l->oh - ry + l->sh - 1) / l->sh,
                                                  .cols = (l->ow - rx + l->sw - 1) / l->sw,
                                                  .koff = transposed_offsets(l, s, ry, rx)};
}

/* ---- strips ---- */

static int64_t max_cols(const ConvStrip *s)
{
    int64_t cols = 0;
    for (int i = 0; i < s->num_parts; i++)
        cols = max64(cols, s->parts[i].cols);
    return cols;
}

static int64_t positions(const ConvStrip *s, int64_t rows)
{
    return (rows - 1) * s->acc_row + max_cols(s);
}

/* Where the vector behind the one at position i begins. */
static int64_t next_vector(const ConvStrip *s, int64_t cols, int64_t i, int64_t lanes)
{
    i += lanes;
    return !s->skips || i % s->pitch < cols ? i : (i / s->pitch + 1) * s->pitch;
}

int64_t strip_vectors(const ConvStrip *s, int64_t rows, int64_t cols, int64_t lanes)
{
    int64_t n = (rows - 1) * s->pitch + cols, vectors = 0;
    for (int64_t i = 0; i < n; i = next_vector(s, cols, i, lanes))
        vectors++;
    return vectors;
}

/* Accumulators for the rows of a strip: up to where vectors of any lanes end. */
static int64_t accumulators(const ConvStrip *s, int64_t rows, int64_t max_lanes)
{
    int64_t end = 0;
    for (int p = 0; p < s->num_parts; p++) {
        int64_t cols = s->parts[p].cols, n = (rows - 1) * s->pitch + cols;
        for (int64_t lanes = 1; lanes <= max_lanes; lanes *= 2)
            for (int64_t i = 0; i < n; i = next_vector(s, cols, i, lanes))
                end = max64(end, i + lanes);
    }
    return round_up(end, max_lanes);
}

/* Room for the sums of four planes under all their weights, and for the vector behind. */
static void add_sums(const Layer *l, ConvStrip *s)
{
    enum { SUMS = 81 };
    const int64_t lanes = layer_format(l)->max_lanes;
    s->sums = round_up(s->plane, lanes) | lanes; /* an odd number of cache lines: no two lie in one place */
    s->sums_offset = round_up(s->scratch_bytes, VECTOR_BYTES);
    s->scratch_bytes = s->sums_offset + (fours_at_once(l) * SUMS * s->sums + lanes) *
                                            (int64_t)dtype_size(layer_format(l)->acc);
}

/* Scratch of a strip of `rows` rows; sets the fields that depend on it. */
static int64_t set_rows(const Layer *l, ConvStrip *s, int64_t rows, int64_t halo)
{
    s->rows = rows;
    s->acc_row = layer_format(l)->pairs ? max_cols(s) : s->pitch; /* vectors go from row to row */
    s->stage_rows = rows + halo;
    s->plane = l->direct ? l->ih * l->iw : s->phase_rows * s->phase_cols * s->stage_rows * s->pitch;
    const Format *f = layer_format(l);
    s->planes = f->bytes ? word_planes(l, s->staged) : s->staged;
    s->acc_pitch = s->unstaged || f->pairs ? positions(s, rows) : accumulators(s, rows, f->max_lanes);
    if (s->unstaged) /* a maximum reads vectors that begin at any sum */
        return s->scratch_bytes = (s->acc_pitch + (l->pool.kind == POOL_MAX ? f->max_lanes - 1 : 0)) *
                                  (int64_t)dtype_size(f->acc);
    s->stage_offset = (s->block * s->acc_pitch + f->max_lanes) * (int64_t)dtype_size(f->acc);
    if (l->form->vectors)
        s->stage_offset = round_up(s->stage_offset, VECTOR_BYTES);
    s->scratch_bytes = s->stage_offset;
    if (!l->direct)
        s->scratch_bytes += (s->planes * s->plane + f->max_lanes) * (int64_t)dtype_size(f->staged);
    if (l->form->sums)
        add_sums(l, s);
    if (l->form->vectors)
        s->scratch_bytes += VECTOR_BYTES;
    if (strip_slides(l, s))
        s->scratch_bytes += l->ci * (s->stage_rows - s->rows - s->top) * l->iw;
    return s->scratch_bytes;
}

static double weights_used(const Layer *l)
{
    return (double)(layer_weight_count(l) - (l->form->unrolled ? l->zeros : 0));
}

double strip_inputs(const Layer *l, const ConvStrip *s)
{
    if (l->direct || s->unstaged)
        return 0;
    const int64_t times = s->stages > 1 ? (l->co + s->block - 1) / s->block : 1;
    const bool bytes = layer_format(l)->bytes, pairs = layer_format(l)->pairs;
    int64_t plane = s->plane;
    if (s->rows < s->total_rows && strip_slides(l, s))
        plane -= (s->stage_rows - s->rows) * s->pitch / MOVED;
    const int64_t inputs = times * l->ci / s->staged * s->planes * (bytes ? 4 : 1) * plane;
    return (double)inputs * (l->sw > 1 && !pairs ? STRIDED : 1);
}

/* What depends on the rows of a strip in the time of a run: vectors, and what each strip costs again. */
static double strips_time(const Layer *l, const ConvStrip *s, const Options *opt)
{
    const double *price = layer_prices(l, opt);
    bool unrolled = l->form->unrolled;
    const int lanes = format_lanes(layer_format(l), opt);
    int64_t full = s->total_rows / s->rows, rest = s->total_rows % s->rows, cols = max_cols(s);
    int64_t vectors = full * strip_vectors(s, s->rows, cols, lanes);
    if (rest)
        vectors += strip_vectors(s, rest, cols, lanes);
    double weights = weights_used(l), strips = (double)(full + (rest > 0)),
           listed = l->form->vectors ? (double)(layer_weight_count(l) - l->zeros) : 0;
    double inputs = (price[6] + price[13] / (double)s->pitch) * strip_inputs(l, s);
    double strip = price[7] * (double)l->co + inputs + (unrolled ? price[3] * outgrown(weights) : 0);
    double time = (double)vectors * (weights * price[unrolled ? 0 : 1] + listed * price[0]) + strips * strip;
    if (has_code_prices(l, opt) && strip_is_flat(l, s)) /* the last one only what there is */
        time -= (strips - (double)s->total_rows / (double)s->rows) * inputs;
    return time;
}

/* Inputs and outputs of so many bytes each. */
static int64_t elements_bytes(const Layer *l, int64_t in, int64_t out, int64_t out_plane)
{
    return in * l->ci * l->ih * l->iw + out * l->co * out_plane;
}

static int64_t activation_bytes(const Layer *l)
{
    const int64_t plane = l->pool.kind ? l->pool.oh * l->pool.ow : l->oh * l->ow;
    return elements_bytes(l, (int64_t)dtype_size(layer_input(l)), (int64_t)dtype_size(layer_output(l)),
                          plane);
}

/* On small machines: as much as a depthwise layer saves by having its output where its input is, else little,
 * and not much more than the activations of a small layer. */
static int64_t pairs_budget(const Layer *l)
{
    int64_t outputs = l->co * l->oh * l->ow, small = activation_bytes(l) * 3 / 2;
    if (l->groups == l->co && l->ci == l->co && outputs > SMALL_PAIRS)
        return outputs;
    return small < SMALL_PAIRS ? small : SMALL_PAIRS;
}

/* Pairs: where the lowest strip takes twice the memory of the activations, inputs are staged a part after the
 * other, once for each block. */
static void choose_stages(const Layer *l, ConvStrip *s, int64_t unit, int64_t halo)
{
    if (!layer_format(l)->pairs || l->groups > 1)
        return;
    while (s->staged % 2 == 0 && set_rows(l, s, unit, halo) > 2 * activation_bytes(l)) {
        s->staged /= 2;
        s->stages *= 2;
    }
}

/* Inputs and outputs as they lie in memory; where there are vectors, and memory enough, as they do in strips.
 */
static int64_t strip_activations(const Layer *l, const ConvStrip *s, const Options *opt)
{
    const Format *f = layer_format(l);
    const bool vectors = format_lanes(f, opt) > 1;
    const DType staged = vectors && !f->bytes ? f->staged : layer_input(l);
    const int64_t in = (int64_t)dtype_size(staged) * (s->dense ? l->kw : 1);
    const int64_t out = (int64_t)dtype_size(vectors ? f->acc : layer_output(l));
    return elements_bytes(l, in, out, l->oh * l->ow);
}

/* Rows per strip: a multiple of `unit`. For size, the least memory; for speed, the strips that take the least
 * time within a budget of memory, as large as it allows where every strip decodes the weights anew. */
static void choose_rows(const Layer *l, ConvStrip *s, const Options *opt, int64_t unit, int64_t halo)
{
    int64_t activations = strip_activations(l, s, opt);
    bool decodes = l->form->decodes;
    bool streams = l->form->unrolled && outgrown(weights_used(l)) > 0;
    streams |= layer_format(l)->bytes;
    int64_t budget = max64(SMALL_SCRATCH, decodes || streams ? activations : activations / 4), best = unit;
    if (layer_format(l)->pairs)
        budget = pairs_budget(l);
    if (l->form->sums)
        budget += (int64_t)sizeof(float) * 81 * MAX_SUMMED;
    double least = INFINITY;
    for (int64_t rows = unit; rows < s->total_rows + unit && opt->optimize == OPTIMIZE_SPEED; rows += unit) {
        bool large =
            set_rows(l, s, rows, halo) > budget || positions(s, rows) > MAX_POSITIONS || s->sums > MAX_SUMMED;
        if (large && rows > unit)
            break;
        double time = decodes ? 0 : strips_time(l, s, opt);
        if (time <= least || decodes) {
            least = time;
            best = rows;
        }
    }
    set_rows(l, s, best, halo);
}

/* Unstaged ones need no memory but their sums. */
static void choose_unstaged_rows(const Layer *l, ConvStrip *s, int64_t unit)
{
    int64_t rows = unit;
    while (rows < s->total_rows && set_rows(l, s, rows + unit, 0) <= SPLIT_SCRATCH)
        rows += unit;
    set_rows(l, s, rows, 0);
}

/* Blocks of a grouped convolution read few channels each. */
static int64_t staged_channels(const Layer *l, int64_t block)
{
    int64_t outs = l->co / l->groups, inputs = l->ci / l->groups;
    if (l->kind != LAYER_CONV || l->direct)
        return l->ci;
    return outs == 1 ? block * inputs : inputs;
}

static ConvStrip make_strip(const Layer *l, const Options *opt, bool dense)
{
    ConvStrip s = {.dense = dense, .block = l->form->conv_channels(l, opt)};
    s.staged = staged_channels(l, s.block);
    s.stages = 1;
    s.skips = l->form->unrolled;
    int64_t halo = (l->kh - 1) * l->dh / l->sh;
    if (l->kind == LAYER_CONV_TRANSPOSE)
        transposed_parts(l, &s, &halo);
    else
        conv_parts(l, &s);
    for (int i = 0; i < s.num_parts; i++)
        s.total_rows = max64(s.total_rows, s.parts[i].rows);
    const int64_t unit = l->pool.kind ? l->pool.sh : 1;
    if (s.unstaged) {
        choose_unstaged_rows(l, &s, unit);
    } else {
        choose_stages(l, &s, unit, halo);
        choose_rows(l, &s, opt, unit, halo);
    }
    if (l->kind == LAYER_CONV)
        conv_offsets(l, &s);
    return s;
}

/* Whether rows of 16-bit sums are so short that several could go into a vector; those of words always go on
 * without a gap then. */
static bool may_be_dense(const Layer *l, const Options *opt)
{
    const bool bytes = layer_format(l)->bytes;
    bool codes = ((l->quantised && (l->form->unrolled || bytes)) || l->form->vectors) &&
                 opt->optimize == OPTIMIZE_SPEED;
    bool plain = l->kind == LAYER_CONV && l->kw > 1 && l->sw == 1 && l->dw == 1 && l->oh > 1;
    return codes && plain && !stages_columns(l) && (bytes || l->ow < format_lanes(layer_format(l), opt));
}

ConvStrip conv_strip(const Layer *l, const Options *opt)
{
    ConvStrip s = make_strip(l, opt, false);
    if (!may_be_dense(l, opt))
        return s;
    ConvStrip dense = make_strip(l, opt, true);
    return strips_time(l, &dense, opt) < strips_time(l, &s, opt) ? dense : s;
}

bool strip_is_flat(const Layer *l, const ConvStrip *s)
{
    bool padded = l->pt || l->pb || l->pl || l->pr;
    return l->kind == LAYER_CONV && l->sh == 1 && l->sw == 1 && !padded && s->pitch == l->iw && l->kh == 1;
}

/* Strides would need other phases of the rows that they have in common. */
bool strip_slides(const Layer *l, const ConvStrip *s)
{
    int64_t kept = s->stage_rows - s->rows;
    bool inside = s->top <= kept && s->second + kept - s->top <= l->ih; /* the rows that are saved */
    return layer_format(l)->pairs && s->staged == l->ci && l->sh == 1 && l->sw == 1 && kept > 0 && inside;
}

int64_t conv_first_input(const Layer *l, const ConvStrip *s, int64_t output, int64_t stage)
{
    return s->staged == l->ci ? 0 : output / (l->co / l->groups) * (l->ci / l->groups) + stage * s->staged;
}
