/* feed.c - samples of a data set as a model's input: which axis of each has the channels, and where each
 * element goes.
 *
 * --layout says it of the samples, the graph of its input (Tensor.channels). Where one is silent it has the
 * other's order, if the shapes fit so, or else the one in which they fit. */
#include "data/data.h"

#include <string.h>

/* A sample and the image that the model takes, which is its input without the batch. */
typedef struct Match {
    const Dataset *data;
    const Graph *g;
    const Tensor *x;
    ImageLayout said; /* of the samples */
    Type sample, image;
    int place;    /* the image's axis of channels; -1: not told, or it has none */
    int from, to; /* found: axis of the channels in the sample, and in the image; -1: one channel, or the
                     order of elements alone is known */
    bool known;   /* how many channels there are */
} Match;

static Type without_axis(Type t, int axis)
{
    Type rest = {.dtype = t.dtype};
    for (int i = 0; i < t.rank; i++)
        if (i != axis)
            rest.dims[rest.rank++] = t.dims[i];
    return rest;
}

static Type squeeze(Type t)
{
    Type s = {.dtype = t.dtype};
    for (int i = 0; i < t.rank; i++)
        if (t.dims[i] != 1)
            s.dims[s.rank++] = t.dims[i];
    return s;
}

static bool is_flat(Type t)
{
    return squeeze(t).rank <= 1;
}

static bool same_dims(Type a, Type b)
{
    b.dtype = a.dtype;
    return type_equal(a, b);
}

/* ---- which axes ---- */

static int axis_at(Type t, ImageLayout l)
{
    return l == IMAGES_NHWC ? t.rank - 1 : 0;
}

/* Whether the sample is the image when its axis `from` becomes axis `to`; then these are the channels'. */
static bool try_axes(Match *m, int from, int to)
{
    if (m->sample.dims[from] != m->image.dims[to] ||
        !same_dims(without_axis(m->sample, from), without_axis(m->image, to)))
        return false;
    m->from = from;
    m->to = to;
    m->known = true;
    return true;
}

/* The model tells where its channels are. */
static bool match_told(Match *m)
{
    if (m->said)
        return try_axes(m, axis_at(m->sample, m->said), m->place);
    return try_axes(m, m->place, m->place) || try_axes(m, 0, m->place) ||
           try_axes(m, m->sample.rank - 1, m->place);
}

/* Only the samples' order is known: it must not fit in both ways. */
static bool match_said(Match *m)
{
    int last = m->image.rank - 1, own = axis_at(m->sample, m->said), other = last - own;
    bool turned = try_axes(m, own, other);
    bool direct = try_axes(m, own, own);
    if (turned && direct && m->image.dims[own] != 1)
        usage("--layout %s: samples of %s fit input '%s' of %s, which is %s, in both orders of axes, and its "
              "layers do not show which it has: add --model-layout nchw or nhwc",
              layout_name(m->said), type_text(m->sample), m->x->name, m->g->file, type_text(m->x->type));
    return direct || try_axes(m, own, other);
}

/* Nothing is known: as it is, if that fits. */
static bool match_shapes(Match *m)
{
    int last = m->image.rank - 1;
    m->from = m->to = -1;
    m->known = last < 2 || m->sample.dims[0] == 1 || m->sample.dims[last] == 1; /* one channel */
    return same_dims(m->sample, m->image) || try_axes(m, 0, last) || try_axes(m, last, 0);
}

static bool match_images(Match *m)
{
    if (m->sample.rank != m->image.rank || m->image.rank < 2)
        return false;
    if (m->place >= 0)
        return match_told(m);
    return m->said ? match_said(m) : match_shapes(m);
}

/* A flat side takes the other's order. */
static bool match_flat(Match *m)
{
    m->from = m->to = -1;
    m->known = true;
    if (!is_flat(m->image) && m->place >= 0)
        m->to = m->place;
    else if (!is_flat(m->sample) && m->said)
        m->from = axis_at(m->sample, m->said);
    else if (!is_flat(m->sample))
        m->known = m->sample.rank < 3;
    else if (m->sample.rank == 1)
        m->from = 0;
    return is_flat(m->sample) || is_flat(m->image);
}

/* Images without an axis of channels on one side. */
static bool match_gray(Match *m)
{
    m->from = m->to = -1;
    m->known = true;
    return !m->said && same_dims(squeeze(m->sample), squeeze(m->image));
}

static _Noreturn void refuse(const Match *m)
{
    bool told = m->x->channels.told && m->x->channels.axis >= 0;
    fail("%s: samples of %s%s do not fit input '%s' of %s, which is %s%s", m->data->spec,
         type_text(m->sample), m->said ? mem_printf(", %s,", layout_name(m->said)) : "", m->x->name,
         m->g->file, type_text(m->x->type),
         told ? mem_printf(" with the channels on axis %d", m->x->channels.axis)
              : ", in either order of axes");
}

static void find_axes(Match *m)
{
    if (type_elems(m->sample) != type_elems(m->image))
        fail("%s: samples of %s do not fit input '%s' of %s, which is %s", m->data->spec,
             type_text(m->sample), m->x->name, m->g->file, type_text(m->x->type));
    if (m->said && m->sample.rank < 2)
        fail("%s: --layout %s needs samples with an axis of channels; these are %s", m->data->spec,
             layout_name(m->said), type_text(m->sample));
    if (!match_images(m) && !match_flat(m) && !match_gray(m))
        refuse(m);
}

static ImageLayout layout_of(const Dataset *d, const Graph *g, const Tensor *x, const DataOptions *o)
{
    check_layout_names(g, &o->layout, "--layout");
    const LayoutWord *w = layout_word(&o->layout, x->name);
    if (w && d->layout && d->layout != w->layout)
        usage("--layout %s: CIFAR-10 .bin files are %s", layout_name(w->layout), layout_name(d->layout));
    return w ? w->layout : d->layout;
}

static Match match_input(const Dataset *d, const Graph *g, const Tensor *x, const DataOptions *o)
{
    Match m = {.data = d, .g = g, .x = x, .said = layout_of(d, g, x, o)};
    m.sample = d->sample;
    m.image = x->type;
    Channels c = x->channels;
    bool batch = c.told ? c.batch : x->type.rank > d->sample.rank;
    m.place = c.told ? c.axis : -1;
    if (batch && x->type.dims[0] == 1) {
        m.image = without_axis(x->type, 0);
        m.place = m.place > 0 ? m.place - 1 : -1;
    }
    find_axes(&m);
    return m;
}

/* ---- the feed ---- */

static int64_t elements_behind(Type t, int axis)
{
    int64_t n = 1;
    for (int i = axis + 1; i < t.rank; i++)
        n *= t.dims[i];
    return n;
}

static void set_channels(DataFeed *f, const Match *m)
{
    Type seen = m->from < 0 && m->to >= 0 ? m->image : m->sample;
    int axis = m->from < 0 && m->to >= 0 ? m->to : m->from;
    f->c = axis < 0 ? 1 : seen.dims[axis];
    f->hw = f->c ? type_elems(seen) / f->c : 0;
    f->own_inner = axis < 0 ? 1 : elements_behind(seen, axis);
    f->inner = m->from >= 0 && m->to >= 0 ? elements_behind(m->image, m->to) : f->own_inner;
    Type positions = without_axis(seen, axis);
    if (positions.rank != 2)
        positions = squeeze(positions);
    if (m->known && positions.rank == 2) {
        f->h = positions.dims[0];
        f->w = positions.dims[1];
    }
}

/* "axis 2 of the samples, uint8[8,8,3], has 3 channels" */
static const char *channels_text(const DataFeed *f, const Match *m)
{
    if (!m->known)
        return mem_printf(
            "which axis of the samples, %s, has the channels is not known: add --layout nchw or nhwc",
            type_text(m->sample));
    if (m->from >= 0)
        return mem_printf("axis %d of the samples, %s, has %s channels", m->from, type_text(m->sample),
                          int_text(f->c));
    if (m->to >= 0)
        return mem_printf("axis %d of input '%s', %s, has %s channels", m->x->channels.axis, m->x->name,
                          type_text(m->x->type), int_text(f->c));
    return mem_printf("samples of %s have one channel", type_text(m->sample));
}

static const double *per_channel(const DataFeed *f, const Match *m, const char *option, Numbers given,
                                 double absent)
{
    if (given.count > 1 && (given.count != f->c || !m->known))
        usage("--%s: %d numbers, but %s", option, given.count, channels_text(f, m));
    double *v = NEW_ARRAY(double, f->c);
    for (int64_t i = 0; i < f->c; i++) {
        v[i] = absent;
        if (given.count)
            v[i] = given.items[given.count == 1 ? 0 : i];
    }
    return v;
}

DataFeed *data_feed(const Dataset *d, const Graph *g, const DataOptions *o)
{
    if (g->num_inputs != 1)
        fail("%s: a data set feeds one input, the model has %d", g->file, g->num_inputs);
    return data_feed_input(d, g, g->inputs[0], o);
}

DataFeed *data_feed_input(const Dataset *d, const Graph *g, const Tensor *x, const DataOptions *o)
{
    if (x->type.dtype != DT_F32)
        fail("%s: a data set feeds float inputs; '%s' is %s", g->file, x->name, type_text(x->type));
    Match m = match_input(d, g, x, o);
    DataFeed *f = NEW(DataFeed);
    f->data = d;
    f->input = x->type;
    set_channels(f, &m);
    f->scale = o->scale;
    f->mean = per_channel(f, &m, "mean", o->mean, 0);
    f->std = per_channel(f, &m, "std", o->std, 1);
    return f;
}

/* Position k of channel c among [...][channels][inner] elements. */
static int64_t place_of(const DataFeed *f, int64_t inner, int64_t c, int64_t k)
{
    return (k / inner * f->c + c) * inner + k % inner;
}

int64_t feed_place(const DataFeed *f, int64_t c, int64_t k)
{
    return place_of(f, f->inner, c, k);
}

void data_sample(const DataFeed *f, int64_t i, float *x)
{
    const Dataset *d = f->data;
    const uint8_t *raw = d->values + (size_t)i * type_bytes(d->sample);
    for (int64_t c = 0; c < f->c; c++)
        for (int64_t k = 0; k < f->hw; k++) {
            double v = elem_get(raw, d->sample.dtype, place_of(f, f->own_inner, c, k));
            x[feed_place(f, c, k)] = (float)((v * f->scale - f->mean[c]) / f->std[c]);
        }
}
