/* size_count.c - what of an object belongs to which layer. The emitter starts the name of every function and
 * table of layer N with "layerN"; each has a section of its own, so that literal pools and padding inside it
 * go to its layer. What no layer owns is shared. Layers and shared together are the object's totals, byte for
 * byte. */
#include "print/print.h"
#include "size/size.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- of the plan ---- */

static double share_bits(int64_t count, int64_t n)
{
    return count ? -(double)count / (double)n * log2((double)count / (double)n) : 0;
}

static double entropy_of(const Layer *l, int64_t weights)
{
    if (!l->codes && !l->ints)
        return 32;
    int64_t count[UINT8_MAX + 1] = {0};
    double bits = 0;
    for (int64_t i = 0; i < weights; i++)
        count[layer_weight(l, i) - INT8_MIN]++;
    for (int i = 0; i <= UINT8_MAX; i++)
        bits += share_bits(count[i], weights);
    return bits;
}

static SizeLayer describe_layer(const Layer *l)
{
    int64_t weights = layer_weight_count(l);
    return (SizeLayer){.index = l->index,
                       .source = l->source,
                       .lowering = lowering_name(l->lowering),
                       .ternary = l->codes != NULL,
                       .kind = layer_weight_word(l),
                       .weights = weights,
                       .zeros = l->zeros,
                       .entropy = weights ? entropy_of(l, weights) : 0};
}

void count_layers(SizeRow *r, const Plan *p)
{
    r->layers = NEW_ARRAY(SizeLayer, layer_count(p->g));
    double bits = 0;
    const Layer *l;
    for (int i = 0; i < p->g->num_nodes; i++)
        for (int k = 0; (l = node_layer(p->g->nodes[i], k)); k++) {
            if (l->index != r->num_layers)
                bug("layer %d is not number %d", l->index, r->num_layers);
            SizeLayer *s = &r->layers[r->num_layers++];
            *s = describe_layer(l);
            r->weights += s->weights;
            bits += s->entropy * (double)s->weights;
        }
    r->entropy = r->weights ? bits / (double)r->weights : 0;
    r->arena = p->arena_bytes;
}

double bits_per_weight(int64_t bytes, int64_t weights)
{
    return weights ? 8.0 * (double)bytes / (double)weights : 0;
}

/* ---- of the object ---- */

/* The layer whose name starts this one, "layer12_weights_3" -> 12; -1: none. */
static int layer_of(const char *name)
{
    if (strncmp(name, "layer", 5) != 0 || !isdigit((unsigned char)name[5]))
        return -1;
    char *end;
    long n = strtol(name + 5, &end, 10);
    return *end == 0 || *end == '_' || *end == '.' ? (int)n : -1;
}

static const char *what_is(const SizePart *p)
{
    const char *s = p->section;
    if (!strncmp(s, ".ARM.ex", 7) || !strncmp(s, ".eh_frame", 9))
        return "unwinding";
    if (!p->name[0] && !strncmp(s, ".text", 5))
        return "padding";
    if (!p->name[0])
        return !strncmp(s, ".rodata", 7) || !strncmp(s, ".srodata", 8) ? "literals" : "other";
    if (!strncmp(p->name, "tn_", 3))
        return "kernel";
    if (!strncmp(p->name, "net_run", 7))
        return p->kind == SECTION_CODE ? "run" : "literals";
    return p->kind == SECTION_CODE ? "function" : "constant";
}

/* Unwinding tables and literals are one entry each. */
static SizeShared *find_shared(SizeRow *r, const char *name, const char *what)
{
    for (int i = 0; i < r->num_shared; i++)
        if (!strcmp(r->shared[i].name, name) && !strcmp(r->shared[i].what, what))
            return &r->shared[i];
    r->shared[r->num_shared] = (SizeShared){.name = name, .what = what};
    return &r->shared[r->num_shared++];
}

static void add_part(SizeRow *r, const SizePart *p)
{
    int layer = strncmp(p->section, ".ARM.ex", 7) ? layer_of(p->name) : -1;
    bool code = p->kind == SECTION_CODE;
    if (layer >= r->num_layers)
        bug("%s: section %s belongs to no layer", r->build->label, p->section);
    if (layer >= 0) {
        *(code ? &r->layers[layer].code : &r->layers[layer].constants) += p->bytes;
        return;
    }
    const char *what = what_is(p);
    const char *name = p->name[0] ? p->name : p->section;
    if (!strcmp(what, "unwinding") || !strcmp(what, "literals"))
        name = what;
    SizeShared *s = find_shared(r, name, what);
    *(code ? &s->code : &s->constants) += p->bytes;
}

static void check_sums(const SizeRow *r)
{
    int64_t code = shared_code(r), constants = shared_constants(r);
    for (int i = 0; i < r->num_layers; i++) {
        code += r->layers[i].code;
        constants += r->layers[i].constants;
    }
    if (r->by_layer && (code != r->code || constants != r->constants))
        bug("%s: layers and shared parts are %s + %s bytes, not %s + %s", r->build->label, int_text(code),
            int_text(constants), int_text(r->code), int_text(r->constants));
}

void count_object(SizeRow *r)
{
    const SizeBuild *b = r->build;
    const SizeObject *o = object_read(b->object, b->object_len, b->label);
    r->code = o->total[SECTION_CODE];
    r->constants = o->total[SECTION_CONST];
    r->data = o->total[SECTION_DATA];
    r->bss = o->total[SECTION_BSS];
    r->unlinked = o->undefined;
    r->num_unlinked = o->num_undefined;
    r->by_layer = !o->is_wasm;
    r->stack = o->is_wasm ? -1 : stack_depth(b->stack, o, "net_run", r->target->call_bytes);
    r->shared = NEW_ARRAY(SizeShared, o->num_parts + 1);
    for (int i = 0; i < o->num_parts; i++) {
        const SizePart *p = &o->parts[i];
        if (p->kind == SECTION_BSS && strstr(p->name, "arena"))
            r->static_arena += p->bytes;
        if (r->target->copies_constants && !strncmp(p->section, ".rodata", 7))
            r->ram_constants += p->bytes;
        if (r->by_layer && p->bytes && (p->kind == SECTION_CODE || p->kind == SECTION_CONST))
            add_part(r, p);
    }
    check_sums(r);
}

int64_t shared_code(const SizeRow *r)
{
    int64_t sum = 0;
    for (int i = 0; i < r->num_shared; i++)
        sum += r->shared[i].code;
    return sum;
}

int64_t shared_constants(const SizeRow *r)
{
    int64_t sum = 0;
    for (int i = 0; i < r->num_shared; i++)
        sum += r->shared[i].constants;
    return sum;
}

int64_t row_flash(const SizeRow *r)
{
    return r->code + r->constants + r->data;
}

/* bss holds the static arena where there is one. */
int64_t row_ram(const SizeRow *r)
{
    int64_t sum = r->data + r->bss + r->ram_constants;
    if (!r->static_arena)
        sum += r->arena;
    return r->stack > 0 ? sum + r->stack : sum;
}
