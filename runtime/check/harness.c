/* harness.c - the program that `ternc check` builds around generated code.
 *
 *   harness values SAMPLES IN OUT   runs the model on the samples in file IN; file OUT gets what every node wrote
 *   harness impulses CODES          drives each ternary layer with impulses, expects the weights in file CODES back
 *
 * model.h, written by check_model.c, describes the model: tables of tensors and layers, and macros that call it. No
 * name here may be one that generated code can have: ID_run, ID_run_in, ID_check_..., whatever ID is. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impulse.h"

/* Where the elements of a tensor lie: `base` elements are before element 0, `size` in all. */
typedef struct Place {
    int rank;
    int64_t dims[8], strides[8];
    int64_t base, size;
    size_t bytes; /* of an element */
} Place;

/* Output `output` of node number `node`. */
typedef struct Written {
    int node, output;
    Place place;
} Written;

/* A buffer of the caller. */
typedef struct Buffer {
    size_t bytes, align;
} Buffer;

/* Types of numbers. */
typedef enum Number { NUMBER_F32, NUMBER_F64, NUMBER_I8, NUMBER_U8, NUMBER_I16, NUMBER_I32 } Number;

typedef struct Layer {
    int number;          /* Layer.index of the graph */
    Number in, acc, out; /* of inputs, accumulators and outputs */
    int32_t zero;        /* what inputs are where there is no impulse, and beyond the borders */
    int64_t shared;      /* Patterns.shared */
    int fully_connected;
    int64_t images, groups, ci, co;
    Axis rows, columns;
    int64_t pool_rows, pool_row_step, pool_height;      /* windows, their distance and height; no pooling: oh, 1, 1 */
    int64_t pool_columns, pool_column_step, pool_width; /* likewise */
    int64_t x_image, x_channel, x_row, x_column;        /* strides of the input */
    int64_t x_base, x_size, y_base, y_size;             /* elements */
} Layer;

#include "model.h"

#ifndef GUARD_BYTES /* 0 with AddressSanitizer, which has its own */
#define GUARD_BYTES 256
#endif
enum { MAX_REPEATS = 256 << 20 };
enum { GUARD = 0xA5, GARBAGE = 0xFF }; /* garbage: as a float, not a number */

static void die(const char *message)
{
    fprintf(stderr, "harness: %s\n", message);
    exit(3);
}

/* A buffer between guards that starts `offset` bytes behind a multiple of 64: aligned no better than promised. */
static void *get_memory(size_t bytes, size_t offset)
{
    void *p = NULL;
    if (posix_memalign(&p, 64, GUARD_BYTES + offset + bytes + GUARD_BYTES))
        die("out of memory");
    memset(p, GUARD, GUARD_BYTES + offset + bytes + GUARD_BYTES);
    char *start = (char *)p + GUARD_BYTES + offset;
    memset(start, GARBAGE, bytes);
    return start;
}

static void free_memory(void *start, size_t offset)
{
    free((char *)start - offset - GUARD_BYTES);
}

static void check_guards(const void *start, size_t bytes, const char *what)
{
    const unsigned char *p = start;
    int bad = 0;
    for (int i = 0; i < GUARD_BYTES; i++)
        bad |= p[bytes + (size_t)i] != GUARD || p[i - GUARD_BYTES] != GUARD;
    if (bad)
        printf("overrun %s\n", what);
}

/* ---- values ---- */

static FILE *dump;               /* where net_check_tensor writes; NULL: nowhere */
static int64_t reports, repeats; /* of this sample: tensors, and bytes of those that only loops make so many */

/* A loop need not end on random inputs. */
static void count_report(const Place *p)
{
    if (++reports > NUM_WRITTEN)
        repeats += p->size * (int64_t)p->bytes + 8;
    if (repeats > MAX_REPEATS)
        die("a loop makes more than 256 MB of values; if it does not end on random inputs, give others: --input FILE");
}

static void dump_dense(const Place *p, const char *data, int axis)
{
    if (axis == p->rank) {
        fwrite(data, p->bytes, 1, dump);
        return;
    }
    if (axis == p->rank - 1 && p->strides[axis] == 1) {
        fwrite(data, p->bytes, (size_t)p->dims[axis], dump);
        return;
    }
    for (int64_t i = 0; i < p->dims[axis]; i++)
        dump_dense(p, data + (size_t)(i * p->strides[axis]) * p->bytes, axis + 1);
}

static const Written *find_written(int node, int output)
{
    for (int i = 0; i < NUM_WRITTEN; i++)
        if (written_tensors[i].node == node && written_tensors[i].output == output)
            return &written_tensors[i];
    return NULL;
}

void on_tensor(int node, int output, const void *data);
void on_tensor(int node, int output, const void *data)
{
    if (!dump)
        return;
    const Written *w = find_written(node, output);
    if (!w)
        die("generated code reports a tensor that the graph does not have");
    int32_t head[2] = {node, output};
    count_report(&w->place);
    fwrite(head, sizeof head, 1, dump);
    dump_dense(&w->place, data, 0);
}

static void make_buffers(void **buffers, const Buffer *b, int count)
{
    for (int i = 0; i < count; i++)
        buffers[i] = get_memory(b[i].bytes, b[i].align);
}

static void free_buffers(void *const *buffers, const Buffer *b, int count)
{
    for (int i = 0; i < count; i++)
        free_memory(buffers[i], b[i].align);
}

static void write_outputs(void *const *out)
{
    for (int i = 0; i < NUM_OUTPUTS; i++) {
        int32_t head[2] = {-1, i};
        fwrite(head, sizeof head, 1, dump);
        fwrite(out[i], 1, output_buffers[i].bytes, dump);
    }
}

static void read_inputs(void *const *in, FILE *f)
{
    for (int i = 0; i < NUM_INPUTS; i++)
        if (fread(in[i], 1, input_buffers[i].bytes, f) != input_buffers[i].bytes)
            die("cannot read the samples");
}

/* The same again on the static arena must give the same bytes. */
static void compare_static(void *const *in, void *const *out)
{
    void *again[NUM_OUTPUTS + 1];
    make_buffers(again, output_buffers, NUM_OUTPUTS);
    FILE *f = dump;
    dump = NULL;
    call_static(in, again);
    dump = f;
    for (int i = 0; i < NUM_OUTPUTS; i++)
        if (memcmp(out[i], again[i], output_buffers[i].bytes))
            printf("static %d\n", i);
    free_buffers(again, output_buffers, NUM_OUTPUTS);
}

/* The arena starts as garbage and stays as the sample before left it. */
static void run_values(int samples, const char *in_path, const char *out_path)
{
    FILE *f = fopen(in_path, "rb");
    dump = fopen(out_path, "wb");
    if (!f || !dump)
        die("cannot open files");
    void *arena = get_memory(WORK_BYTES, WORK_ALIGN), *in[NUM_INPUTS + 1], *out[NUM_OUTPUTS + 1];
    make_buffers(in, input_buffers, NUM_INPUTS);
    make_buffers(out, output_buffers, NUM_OUTPUTS);
    for (int s = 0; s < samples; s++) {
        read_inputs(in, f);
        reports = repeats = 0;
        call_in_arena(arena, in, out);
        write_outputs(out);
        compare_static(in, out);
        check_guards(arena, WORK_BYTES, "arena");
        for (int i = 0; i < NUM_OUTPUTS; i++)
            check_guards(out[i], output_buffers[i].bytes, "output");
    }
    free_buffers(in, input_buffers, NUM_INPUTS);
    free_buffers(out, output_buffers, NUM_OUTPUTS);
    free_memory(arena, WORK_ALIGN);
    fclose(f);
    if (fclose(dump))
        die("cannot write the values");
}

/* ---- numbers ---- */

static size_t number_size(Number n)
{
    static const size_t sizes[] = {sizeof(float), sizeof(double), 1, 1, 2, 4};
    return sizes[n];
}

static void put_number(Number n, void *p, int64_t i, int32_t v)
{
    switch (n) {
    case NUMBER_F32: ((float *)p)[i] = (float)v; break;
    case NUMBER_F64: ((double *)p)[i] = v; break;
    case NUMBER_I8: ((int8_t *)p)[i] = (int8_t)v; break;
    case NUMBER_U8: ((uint8_t *)p)[i] = (uint8_t)v; break;
    case NUMBER_I16: ((int16_t *)p)[i] = (int16_t)v; break;
    case NUMBER_I32: ((int32_t *)p)[i] = v; break;
    }
}

static double get_number(Number n, const void *p, int64_t i)
{
    switch (n) {
    case NUMBER_F32: return (double)((const float *)p)[i];
    case NUMBER_F64: return ((const double *)p)[i];
    case NUMBER_I8: return ((const int8_t *)p)[i];
    case NUMBER_U8: return ((const uint8_t *)p)[i];
    case NUMBER_I16: return ((const int16_t *)p)[i];
    case NUMBER_I32: return ((const int32_t *)p)[i];
    }
    return 0;
}

/* ---- impulses ---- */

/* Outputs whose windows do not meet: of either axis a list. Each is driven to an extreme of one channel of its group.
 */
typedef struct Extremes {
    int64_t *row, rows, *column, columns;
    int64_t channels; /* of a group */
    int64_t windows;  /* of all images */
    int64_t runs;     /* to one side; 0: inputs are no codes */
} Extremes;

/* One layer under test. */
typedef struct Test {
    const Layer *layer;
    Patterns patterns;
    int64_t run;
    const int8_t *codes;             /* [co][ci/groups][kh][kw] */
    int32_t *sums;                   /* [batch][turn][co][kh][kw]: what an accumulator is that sees tap [kh][kw] */
    int64_t *row_taps, *column_taps; /* [position][output], -1: none */
    unsigned char *seen;             /* [image][co][oh][ow] */
    int64_t checked, wrong, stray;
    Extremes driven;
    unsigned char *met; /* [co][2]: the largest sum of a channel was there, and the least; NULL: impulses run */
} Test;

static Test test;

static void *get_array(int64_t count, size_t size)
{
    void *p = calloc((size_t)count + 1, size);
    if (!p)
        die("out of memory");
    return p;
}

static int64_t *list_taps(const Axis *a, int64_t step)
{
    int64_t *taps = get_array(step * a->out, sizeof *taps);
    for (int64_t s = 0; s < step; s++)
        for (int64_t o = 0; o < a->out; o++)
            taps[s * a->out + o] = axis_tap(a, step, s, o);
    return taps;
}

/* The sums of one batch of channels under one turn. */
static void add_sums(const Test *t, int64_t batch, int64_t turn, int32_t *sums)
{
    const Layer *l = t->layer;
    int64_t channels = t->patterns.channels, area = l->rows.kernel * l->columns.kernel;
    int64_t from = batch * t->patterns.shared;
    int64_t to = from + t->patterns.shared < channels ? from + t->patterns.shared : channels;
    for (int64_t co = 0; co < l->co; co++)
        for (int64_t c = from; c < to; c++)
            for (int64_t k = 0; k < area; k++)
                sums[co * area + k] +=
                    t->codes[(co * channels + c) * area + k] * pattern_value(&t->patterns, batch, turn, c);
}

static int32_t *list_sums(const Test *t)
{
    int64_t size = t->layer->co * t->layer->rows.kernel * t->layer->columns.kernel, n = t->patterns.batches;
    int64_t shared = t->patterns.shared;
    int32_t *sums = get_array(n * shared * size, sizeof *sums);
    for (int64_t i = 0; i < n * shared; i++)
        add_sums(t, i / shared, i % shared, sums + i * size);
    return sums;
}

static int is_pooled(int64_t i, int64_t windows, int64_t step, int64_t size)
{
    return i / step < windows && i % step < size;
}

/* Outputs of an axis that are used and whose windows lie inside; without one, the first that is used. */
static int64_t *list_windows(const Axis *a, int64_t windows, int64_t step, int64_t size, int64_t *count)
{
    int64_t *list = get_array(a->out, sizeof *list), reach = (a->kernel - 1) * a->dilation, next = 0, used = -1;
    *count = 0;
    for (int64_t o = 0; o < a->out; o++) {
        int64_t from = o * a->stride - a->pad;
        if (!is_pooled(o, windows, step, size))
            continue;
        used = used < 0 ? o : used;
        if (from < next || from + reach >= a->in)
            continue;
        list[(*count)++] = o;
        next = from + reach + 1;
    }
    if (*count == 0)
        list[(*count)++] = used;
    return list;
}

/* 0: inputs are no codes. */
static int32_t highest_code(Number n)
{
    switch (n) {
    case NUMBER_I8: return INT8_MAX;
    case NUMBER_U8: return UINT8_MAX;
    case NUMBER_I16: return INT16_MAX;
    default: return 0;
    }
}

static int32_t lowest_code(Number n)
{
    return n == NUMBER_U8 ? 0 : -highest_code(n) - 1;
}

static Extremes extremes_make(const Layer *l)
{
    Extremes e = {.channels = l->co / l->groups};
    if (!highest_code(l->in))
        return e;
    e.row = list_windows(&l->rows, l->pool_rows, l->pool_row_step, l->pool_height, &e.rows);
    e.column = list_windows(&l->columns, l->pool_columns, l->pool_column_step, l->pool_width, &e.columns);
    e.windows = l->images * e.rows * e.columns;
    e.runs = (e.channels + e.windows - 1) / e.windows;
    return e;
}

static void test_begin(const Layer *l, const int8_t *codes)
{
    test = (Test){.layer = l, .codes = codes};
    test.patterns = patterns_make(l->rows, l->columns, l->groups, l->ci / l->groups, l->shared);
    test.driven = extremes_make(l);
    test.sums = list_sums(&test);
    test.row_taps = list_taps(&l->rows, test.patterns.row_step);
    test.column_taps = list_taps(&l->columns, test.patterns.column_step);
    test.seen = get_array(l->images * l->co * l->rows.out * l->columns.out, 1);
}

static void test_end(void)
{
    free(test.sums);
    free(test.row_taps);
    free(test.column_taps);
    free(test.seen);
    free(test.driven.row);
    free(test.driven.column);
    free(test.met);
}

/* What an output sees of the lattice: a tap, and how its input is turned. */
typedef struct Sight {
    Impulse impulse;
    int64_t row_tap, column_tap, turn; /* tap -1: it sees nothing */
} Sight;

static Sight sight_at(int64_t image, int64_t co, int64_t row, int64_t column)
{
    const Layer *l = test.layer;
    int64_t group = co / (l->co / l->groups);
    Sight s = {pattern_at(&test.patterns, test.run, image, group), -1, -1, 0};
    if (s.impulse.batch < 0)
        return s;
    s.row_tap = test.row_taps[s.impulse.row * l->rows.out + row];
    s.column_tap = test.column_taps[s.impulse.column * l->columns.out + column];
    if (s.row_tap >= 0 && s.column_tap >= 0)
        s.turn = pattern_turn(&test.patterns, group, axis_input(&l->rows, row, s.row_tap),
                              axis_input(&l->columns, column, s.column_tap));
    return s;
}

/* Impulses go up from the background where there is room above it, else down. */
static int32_t direction(const Layer *l)
{
    return l->zero > (l->in == NUMBER_U8 ? 127 : 0) ? -1 : 1;
}

/* What the background alone makes of an accumulator. */
static int32_t background_sum(int64_t co)
{
    const Layer *l = test.layer;
    int64_t n = l->ci / l->groups * l->rows.kernel * l->columns.kernel;
    int32_t sum = 0;
    for (int64_t i = 0; l->zero && i < n; i++)
        sum += test.codes[co * n + i];
    return sum * l->zero;
}

/* Beside that of the background. */
static int32_t expected_sum(int64_t co, const Sight *s)
{
    const Layer *l = test.layer;
    if (s->impulse.batch < 0 || s->row_tap < 0 || s->column_tap < 0)
        return 0;
    int64_t block = s->impulse.batch * test.patterns.shared + s->turn;
    return test.sums[((block * l->co + co) * l->rows.kernel + s->row_tap) * l->columns.kernel + s->column_tap];
}

/* The digit of base 4 at which two sums first differ names the input channel; -1 where no single weight explains it. */
static int64_t blame_channel(const Sight *s, double got, int32_t want)
{
    const int64_t shared = test.patterns.shared, limit = (int64_t)1 << (2 * shared);
    int64_t digit = 0;
    if (s->row_tap < 0 || s->column_tap < 0 || !(got >= (double)-limit && got <= (double)limit) ||
        (double)(int64_t)got != got)
        return -1;
    for (int64_t difference = (int64_t)got - want; digit < shared - 1 && difference % 4 == 0; digit++)
        difference /= 4;
    return s->impulse.batch * shared + (digit - s->turn + shared) % shared;
}

/* Channel c of one image, from element `at` on. What lies between and behind the planes stays garbage: nothing may
 * depend on it. */
static void fill_plane(void *x, int64_t at, int64_t c, const Impulse *m)
{
    const Layer *l = test.layer;
    const Patterns *p = &test.patterns;
    for (int64_t i = 0; i < l->rows.in; i++)
        for (int64_t j = 0; j < l->columns.in; j++)
            put_number(l->in, x, at + i * l->x_row + j * l->x_column, l->zero);
    if (m->batch != c % p->channels / p->shared)
        return;
    for (int64_t i = m->row; i < l->rows.in; i += p->row_step)
        for (int64_t j = m->column; j < l->columns.in; j += p->column_step) {
            int64_t turn = pattern_turn(p, c / p->channels, i, j);
            put_number(l->in, x, at + i * l->x_row + j * l->x_column,
                       l->zero + direction(l) * pattern_value(p, m->batch, turn, c % p->channels));
        }
}

static void place_impulses(void *x)
{
    const Layer *l = test.layer;
    for (int64_t image = 0; image < l->images; image++)
        for (int64_t c = 0; c < l->ci; c++) {
            Impulse m = pattern_at(&test.patterns, test.run, image, c / test.patterns.channels);
            fill_plane(x, l->x_base + image * l->x_image + c * l->x_channel, c, &m);
        }
}

/* ---- extremes ---- */

/* The inputs with which a channel's sum is the largest that codes can make, or the least: the highest code where its
 * weight is positive and the lowest where it is negative, or the reverse. So are those of all parts of the sum. */

/* The channel of its group that window [i][j] of an image drives in this run; channels or more: none. */
static int64_t driven_channel(int64_t image, int64_t i, int64_t j)
{
    const Extremes *e = &test.driven;
    return test.run % e->runs * e->windows + (image * e->rows + i) * e->columns + j;
}

/* The runs of the first half drive upwards. */
static int drives_up(void)
{
    return test.run < test.driven.runs;
}

static int32_t extreme_code(int weight)
{
    const Layer *l = test.layer;
    if (!weight)
        return l->zero;
    if ((weight > 0) == drives_up())
        return highest_code(l->in);
    return lowest_code(l->in);
}

static int weight_at(int64_t co, int64_t ci, int64_t ky, int64_t kx)
{
    const Layer *l = test.layer;
    return test.codes[((co * (l->ci / l->groups) + ci) * l->rows.kernel + ky) * l->columns.kernel + kx];
}

/* What goes into one window of an image, `at` elements on; or, without x, the sum that it makes. */
static int64_t drive_window(void *x, int64_t at, int64_t co, int64_t row, int64_t column)
{
    const Layer *l = test.layer;
    int64_t channels = l->ci / l->groups, from = co / test.driven.channels * channels, sum = 0;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t ky = 0; ky < l->rows.kernel; ky++)
            for (int64_t kx = 0; kx < l->columns.kernel; kx++) {
                int64_t i = axis_input(&l->rows, row, ky), j = axis_input(&l->columns, column, kx);
                int inside = i >= 0 && j >= 0, weight = weight_at(co, c, ky, kx);
                int32_t code = inside ? extreme_code(weight) : l->zero;
                sum += (int64_t)weight * code;
                if (x && inside)
                    put_number(l->in, x, at + (from + c) * l->x_channel + i * l->x_row + j * l->x_column, code);
            }
    return sum;
}

static void drive_image(void *x, int64_t image)
{
    const Extremes *e = &test.driven;
    int64_t at = test.layer->x_base + image * test.layer->x_image;
    for (int64_t i = 0; i < e->rows; i++)
        for (int64_t j = 0; j < e->columns; j++) {
            int64_t channel = driven_channel(image, i, j);
            for (int64_t g = 0; g < test.layer->groups && channel < e->channels; g++)
                drive_window(x, at, g * e->channels + channel, e->row[i], e->column[j]);
        }
}

static void place_extremes(void *x)
{
    const Layer *l = test.layer;
    const Impulse none = {-2, 0, 0};
    for (int64_t image = 0; image < l->images; image++) {
        for (int64_t c = 0; c < l->ci; c++)
            fill_plane(x, l->x_base + image * l->x_image + c * l->x_channel, c, &none);
        drive_image(x, image);
    }
}

/* -1: not among them. */
static int64_t place_among(const int64_t *list, int64_t count, int64_t o)
{
    for (int64_t i = 0; i < count; i++)
        if (list[i] == o)
            return i;
    return -1;
}

static void check_extreme(int64_t image, int64_t co, int64_t row, int64_t column, double got)
{
    const Extremes *e = &test.driven;
    int64_t i = place_among(e->row, e->rows, row), j = place_among(e->column, e->columns, column);
    if (i < 0 || j < 0 || driven_channel(image, i, j) != co % e->channels)
        return;
    int64_t want = drive_window(NULL, 0, co, row, column);
    test.met[2 * co + !drives_up()] = 1;
    if (got == (double)want)
        return;
    if (test.wrong++ == 0)
        printf("extreme %d image %lld channel %lld row %lld column %lld got %.9g want %lld\n", test.layer->number,
               (long long)image, (long long)co, (long long)row, (long long)column, got, (long long)want);
}

/* ---- verdicts ---- */

static void print_wrong(int64_t image, int64_t co, int64_t row, int64_t column, double got, const Sight *s)
{
    int32_t want = expected_sum(co, s);
    printf("wrong %d image %lld channel %lld row %lld column %lld got %.9g want %d weight %lld %lld %lld\n",
           test.layer->number, (long long)image, (long long)co, (long long)row, (long long)column, got, want,
           (long long)blame_channel(s, got, want), (long long)s->row_tap, (long long)s->column_tap);
}

static void check_one(int64_t image, int64_t co, int64_t row, int64_t column, double got)
{
    const Layer *l = test.layer;
    if (image < 0 || image >= l->images || co < 0 || co >= l->co || row < 0 || row >= l->rows.out || column < 0 ||
        column >= l->columns.out) {
        test.stray++;
        return;
    }
    if (test.met) {
        check_extreme(image, co, row, column, got);
        return;
    }
    test.seen[((image * l->co + co) * l->rows.out + row) * l->columns.out + column] = 1;
    test.checked++;
    Sight s = sight_at(image, co, row, column);
    got = (got - background_sum(co)) * direction(l);
    if (got == (double)expected_sum(co, &s))
        return;
    if (test.wrong++ == 0)
        print_wrong(image, co, row, column, got, &s);
}

void on_acc(int layer, int image, int channel, int row, int column, int step, const void *acc, int count);
void on_acc(int layer, int image, int channel, int row, int column, int step, const void *acc, int count)
{
    if (!test.layer)
        return;
    if (layer != test.layer->number)
        die("generated code reports an accumulator of another layer");
    for (int i = 0; i < count; i++) {
        double got = get_number(test.layer->acc, acc, i);
        if (test.layer->fully_connected)
            check_one(image, channel + i, row, column, got);
        else
            check_one(image, channel, row, column + (int64_t)i * step, got);
    }
}

/* Accumulators that reach an output and were never reported. */
static int64_t count_missing(void)
{
    const Layer *l = test.layer;
    int64_t missing = 0, at = 0;
    for (int64_t plane = 0; plane < l->images * l->co; plane++)
        for (int64_t i = 0; i < l->rows.out; i++)
            for (int64_t j = 0; j < l->columns.out; j++, at++)
                missing += !test.seen[at] && is_pooled(i, l->pool_rows, l->pool_row_step, l->pool_height) &&
                           is_pooled(j, l->pool_columns, l->pool_column_step, l->pool_width);
    return missing;
}

static int64_t run_patterns(char *x, char *y, char *x0, void *arena)
{
    const Layer *l = test.layer;
    int64_t missing = 0, outputs = l->images * l->co * l->rows.out * l->columns.out;
    for (test.run = 0; test.run < test.patterns.count; test.run++) {
        memset(test.seen, 0, (size_t)outputs);
        place_impulses(x);
        call_layer(l->number, x0, y, arena);
        missing += count_missing();
    }
    return missing;
}

/* Returns to how many extremes sums were driven: two of each channel. */
static int64_t run_extremes(char *x, char *y, char *x0, void *arena)
{
    int64_t met = 0, count = test.driven.runs ? 2 * test.layer->co : 0;
    test.met = get_array(count, 1);
    for (test.run = 0; test.run < 2 * test.driven.runs; test.run++) {
        place_extremes(x);
        call_layer(test.layer->number, x0, y, arena);
    }
    for (int64_t i = 0; i < count; i++)
        met += test.met[i];
    return met;
}

static void test_layer(const Layer *l, const int8_t *codes, void *arena)
{
    test_begin(l, codes);
    const size_t in = number_size(l->in), out = number_size(l->out);
    char *x = get_memory((size_t)l->x_size * in, in), *y = get_memory((size_t)l->y_size * out, out);
    char *x0 = x + (size_t)l->x_base * in, *y0 = y + (size_t)l->y_base * out;
    int64_t missing = run_patterns(x, y0, x0, arena), extremes = run_extremes(x, y0, x0, arena);
    check_guards(arena, WORK_BYTES, "arena");
    check_guards(y, (size_t)l->y_size * out, "output of a layer");
    printf("layer %d runs %lld checked %lld wrong %lld missing %lld stray %lld extremes %lld\n", l->number,
           (long long)test.patterns.count, (long long)test.checked, (long long)test.wrong, (long long)missing,
           (long long)test.stray, (long long)extremes);
    fflush(stdout);
    free_memory(x, in);
    free_memory(y, out);
    test_end();
}

static void run_impulses(const char *codes_path)
{
    FILE *f = fopen(codes_path, "rb");
    if (!f)
        die("cannot open the weights");
    void *arena = get_memory(WORK_BYTES, WORK_ALIGN);
    for (int i = 0; i < NUM_LAYERS; i++) {
        const Layer *l = &tested_layers[i];
        size_t count = (size_t)(l->co * (l->ci / l->groups) * l->rows.kernel * l->columns.kernel);
        int8_t *codes = get_array((int64_t)count, 1);
        if (fread(codes, 1, count, f) != count)
            die("cannot read the weights");
        test_layer(l, codes, arena);
        free(codes);
    }
    free_memory(arena, WORK_ALIGN);
    fclose(f);
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "values"))
        run_values(atoi(argv[2]), argv[3], argv[4]);
    else if (argc == 3 && !strcmp(argv[1], "impulses"))
        run_impulses(argv[2]);
    else
        die("usage");
    printf("done\n");
    return 0;
}
