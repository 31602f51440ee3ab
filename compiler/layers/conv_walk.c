/* conv_walk.c - how a run of a convolution goes through its weights: which way it is turned, its blocks of
 * output channels, strips and vectors, and what its code holds. */
#include "layers/layers.h"

/* A 1-D convolution along columns as one along rows, so that long signals are cut into strips as well. */
static bool turn_1d(Layer *l)
{
    if (l->kind != LAYER_CONV || l->ih != 1 || l->kh != 1 || l->oh != 1 || l->pt || l->pb)
        return false;
    Layer t = *l;
    t.ih = l->iw, t.oh = l->ow, t.kh = l->kw, t.sh = l->sw, t.dh = l->dw, t.pt = l->pl, t.pb = l->pr;
    t.iw = 1, t.ow = 1, t.kw = 1, t.sw = 1, t.dw = 1, t.pl = 0, t.pr = 0;
    if (l->pool.kind)
        t.pool = (Pool){l->pool.kind, l->pool.kw, 1, l->pool.sw, 1, l->pool.ow, 1};
    *l = t;
    return true;
}

ConvFrame conv_frame(const Layer *l, const Options *opt)
{
    ConvFrame c = {.l = l, .turned = *l};
    c.is_turned = !reads_in_place(l) && turn_1d(&c.turned);
    c.s = conv_strip(&c.turned, opt);
    return c;
}

int64_t conv_block(const ConvFrame *c, int64_t first)
{
    int64_t outs = c->l->co / c->l->groups, left = outs == 1 ? c->l->co - first : outs - first % outs;
    return left < c->s.block ? left : c->s.block;
}

static ConvWalk walk_part(const ConvFrame *c, int part, const Options *opt)
{
    const ConvPart *p = &c->s.parts[part];
    ConvWalk w = {0};
    for (int64_t r = 0; r < p->rows; r += c->s.rows, w.strips++) {
        int64_t rows = p->rows - r < c->s.rows ? p->rows - r : c->s.rows;
        w.vectors += strip_vectors(&c->s, rows, p->cols, format_lanes(layer_format(c->l), opt));
    }
    w.positions = c->l->batch * p->rows * p->cols;
    w.strips *= c->l->batch;
    w.vectors *= c->l->batch;
    w.staged = (double)w.strips * strip_inputs(&c->turned, &c->s);
    w.rows = w.staged / (double)c->s.pitch;
    for (int64_t first = 0; c->l->form->unrolled && first < c->l->co; first += conv_block(c, first))
        add_unrolled(&w.code, &unroll_conv(&c->turned, &c->s, part, first, conv_block(c, first), opt)->size);
    return w;
}

int conv_walks(const Layer *l, const Options *opt, const ConvWalk **walks)
{
    ConvFrame c = conv_frame(l, opt);
    ConvWalk *w = NEW_ARRAY(ConvWalk, c.s.num_parts);
    for (int part = 0; part < c.s.num_parts; part++)
        w[part] = walk_part(&c, part, opt);
    *walks = w;
    return c.s.num_parts;
}

bool conv_in_place(const Layer *l, const Options *opt)
{
    bool same = l->kind == LAYER_CONV && l->ci == l->co && l->ih == l->oh && l->iw == l->ow &&
                !l->pool.kind && l->sh == 1;
    if (!same || !layer_format(l)->pairs)
        return false;
    const ConvFrame c = conv_frame(l, opt);
    const bool all = c.s.staged == l->ci, one_strip = c.s.rows >= c.s.total_rows;
    if (strip_slides(&c.turned, &c.s) || (all && c.s.stage_rows == c.s.rows))
        return true;
    return one_strip && (all || l->groups == l->co);
}

int64_t layer_scratch_bytes(const Layer *l, const Options *opt)
{
    if (l->kind != LAYER_FC)
        return conv_frame(l, opt).s.scratch_bytes;
    return format_in_place(l) ? 0 : l->co * (int64_t)dtype_size(layer_format(l)->acc);
}

bool pools_sums(const Layer *l)
{
    if (l->pool.kind != POOL_MAX || !activation_never_falls(&l->act) || !format_in_place(l))
        return false;
    for (int64_t c = 0; l->scale && c < l->co; c++)
        if (!(l->scale[c] >= 0))
            return false;
    return true;
}
