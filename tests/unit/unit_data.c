/* unit_data.c - .npy files and data sets: what is read from good files, and the message for every bad one.
 * The files are made here, byte by byte. */
#include "base/host.h"
#include "base/out_file.h"
#include "data/data.h"

#include <CUnit/Basic.h>
#include <archive.h>
#include <archive_entry.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static char folder[64];

static const char *path_of(const char *name)
{
    return mem_printf("%s/%s", folder, name);
}

static const char *put_file(const char *name, const void *data, size_t len)
{
    const char *path = path_of(name);
    FILE *f = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fwrite(data, 1, len, f);
    fclose(f);
    return path;
}

static const char *put_gzip(const char *name, const void *data, size_t len)
{
    const char *path = path_of(name);
    gzFile f = gzopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    gzwrite(f, data, (unsigned)len);
    gzclose(f);
    return path;
}

/* The message ends with `end`, behind the path. */
static void expect_message(const Trap *t, int code, const char *end)
{
    size_t n = strlen(t->message), k = strlen(end);
    bool same = t->code == code && n >= k && !strcmp(t->message + n - k, end);
    if (!same)
        fprintf(stderr, "expected %d ...%s\ngot      %d %s\n", code, end, t->code, t->message);
    CU_ASSERT_TRUE(same);
}

/* ---- .npy ---- */

static const char *make_npy(const char *name, int major, const char *header, const void *data, size_t len)
{
    Text t = {0};
    size_t n = strlen(header);
    text_add(&t, "\x93NUMPY", 6);
    const char start[] = {(char)major, 0, (char)n, (char)(n >> 8), 0, 0};
    text_add(&t, start, major == 1 ? 4 : 6);
    text_add(&t, header, n);
    text_add(&t, data, len);
    const char *path = put_file(name, t.data, t.len);
    text_free(&t);
    return path;
}

static void test_npy_round_trip(void)
{
    static const DType types[] = {DT_F32, DT_F64, DT_I8,  DT_I16, DT_I32, DT_I64,
                                  DT_U8,  DT_U16, DT_U32, DT_U64, DT_BOOL};
    static const int64_t dims[] = {2, 3, 1};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        for (int rank = 0; rank <= 3; rank++) {
            Type t = type_make(types[i], rank, dims);
            uint8_t data[6 * 8];
            for (int k = 0; k < 6; k++)
                elem_set(data, t.dtype, k, k % 2);
            npy_write(path_of("a.npy"), t, data);
            const Tensor *r = npy_read(path_of("a.npy"));
            CU_ASSERT_TRUE(type_equal(r->type, t));
            CU_ASSERT_EQUAL(memcmp(r->data, data, type_bytes(t)), 0);
        }
}

static void test_npy_headers(void)
{
    static const float six[] = {1, 2, 3, 4, 5, 6};
    const char *header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
    for (int major = 1; major <= 3; major++) {
        const Tensor *t = npy_read(make_npy("h.npy", major, header, six, sizeof six));
        CU_ASSERT_STRING_EQUAL(type_text(t->type), "float[2,3]");
        CU_ASSERT_EQUAL(memcmp(t->data, six, sizeof six), 0);
    }
    header = "{\"shape\": (2,3), \"fortran_order\": True, \"descr\": \"<f4\"}";
    const Tensor *t = npy_read(make_npy("h.npy", 1, header, six, sizeof six));
    static const float turned[] = {1, 3, 5, 2, 4, 6};
    CU_ASSERT_EQUAL(memcmp(t->data, turned, sizeof turned), 0);
    header = "{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }";
    t = npy_read(make_npy("h.npy", 1, header, "\x01\x02\xff\xfe", 4));
    CU_ASSERT_EQUAL(((const int16_t *)t->data)[0], 0x0102);
    CU_ASSERT_EQUAL(((const int16_t *)t->data)[1], -2);
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (), }";
    CU_ASSERT_STRING_EQUAL(type_text(npy_read(make_npy("h.npy", 1, header, six, 4))->type), "float[]");
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 7), }";
    CU_ASSERT_STRING_EQUAL(type_text(npy_read(make_npy("h.npy", 1, header, six, 0))->type), "float[0,7]");
}

static void test_npy_half(void)
{
    static const uint16_t half[] = {0x3c00, 0xc000, 0x0001, 0x7c00, 0x7e00, 0x03ff, 0x7bff, 0x8000};
    const char *header = "{'descr': '<f2', 'fortran_order': False, 'shape': (8,), }";
    const Tensor *t = npy_read(make_npy("h.npy", 1, header, half, sizeof half));
    CU_ASSERT_EQUAL(t->type.dtype, DT_F32);
    const float *v = t->data;
    CU_ASSERT_EQUAL(v[0], 1);
    CU_ASSERT_EQUAL(v[1], -2);
    CU_ASSERT_EQUAL(v[2], 0x1p-24f);
    CU_ASSERT_TRUE(isinf(v[3]));
    CU_ASSERT_TRUE(isnan(v[4]));
    CU_ASSERT_EQUAL(v[5], 1023 * 0x1p-24f);
    CU_ASSERT_EQUAL(v[6], 65504);
    CU_ASSERT_TRUE(signbit(v[7]) && v[7] == 0);
}

static void refuse_npy(const char *header, size_t len, const char *end)
{
    static const uint8_t data[64] = {2};
    const char *path = make_npy("bad.npy", 1, header, data, len);
    Trap t;
    if (!CATCH(&t)) {
        npy_read(path);
        trap_end();
    }
    expect_message(&t, 1, end);
}

static void test_npy_bad(void)
{
    refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 20,
               "float[2,3] needs 24 bytes of elements, the file has 20");
    refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 28,
               "float[2,3] needs 24 bytes of elements, the file has 28");
    refuse_npy("{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}", 16,
               "element type '<c8' cannot be read: take float16 to 64, int8 to 64, uint8 to 64 or bool");
    refuse_npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", 16,
               "element type [('a' cannot be read: take float16 to 64, int8 to 64, uint8 to 64 or bool");
    refuse_npy("{'fortran_order': False, 'shape': (2,)}", 8, "the .npy header has no 'descr'");
    refuse_npy("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", 8,
               "the .npy header is damaged: fortran_order");
    refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,-3)}", 8,
               "the .npy header is damaged: shape");
    refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2", 8,
               "the .npy header is damaged: shape");
    refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': ", 8, "the .npy header is damaged: shape");
    refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}", 8,
               "the .npy header is damaged: shape");
    refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", 4,
               "more than 8 dimensions");
    refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,1099511627776)}", 4,
               "a tensor of shape float[1099511627776,1099511627776] is too large for any target");
    refuse_npy("{'descr': '|b1', 'fortran_order': False, 'shape': (1,)}", 1, "a bool is neither 0 nor 1");
}

static void refuse_npy_bytes(const char *data, size_t len, const char *end)
{
    const char *path = put_file("bad.npy", data, len);
    Trap t;
    if (!CATCH(&t)) {
        npy_read(path);
        trap_end();
    }
    expect_message(&t, 1, end);
}

static void test_npy_cut(void)
{
    refuse_npy_bytes("", 0, "not an .npy file");
    refuse_npy_bytes("hello, world", 12, "not an .npy file");
    refuse_npy_bytes("\x93NUMPY\x04\0\0\0", 10, ".npy version 4 is unknown; 1 to 3 can be read");
    refuse_npy_bytes("\x93NUMPY\x02\0\0\0", 10, "the .npy header is cut off");
    refuse_npy_bytes("\x93NUMPY\x01\0\x05\0{}", 12, "the .npy header is cut off");
    refuse_npy_bytes("\x93NUMPY\x02\0\xff\xff\xff\xff{}", 14, "the .npy header is cut off");
}

/* ---- IDX ---- */

static const uint8_t idx_images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255};
static const uint8_t idx_labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 7, 9};

static Dataset *open_pair(const char *images, const char *labels)
{
    return data_open(mem_printf("%s,%s", images, labels));
}

static void check_small_set(const Dataset *d)
{
    CU_ASSERT_EQUAL(d->count, 2);
    CU_ASSERT_STRING_EQUAL(type_text(d->sample), "uint8[1,3]");
    CU_ASSERT_EQUAL(d->values[5], 255);
    CU_ASSERT_EQUAL(d->labels[0], 7);
    CU_ASSERT_EQUAL(d->labels[1], 9);
}

static void test_idx(void)
{
    const char *x = put_file("x", idx_images, sizeof idx_images),
               *y = put_file("y", idx_labels, sizeof idx_labels);
    check_small_set(open_pair(x, y));
    check_small_set(open_pair(put_gzip("x.gz", idx_images, sizeof idx_images), y));
    CU_ASSERT_PTR_NULL(data_open(x)->labels);
    static const uint8_t wide[] = {0, 0, 0x0b, 1, 0, 0, 0, 2, 0x01, 0x00, 0xff, 0xff};
    const Dataset *d = data_open(put_file("w", wide, sizeof wide));
    CU_ASSERT_EQUAL(((const int16_t *)(const void *)d->values)[0], 256);
    CU_ASSERT_EQUAL(((const int16_t *)(const void *)d->values)[1], -1);
    static const uint8_t doubles[] = {0, 0, 0x0e, 1, 0, 0, 0, 1, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0};
    d = data_open(put_file("d", doubles, sizeof doubles));
    CU_ASSERT_EQUAL(*(const double *)(const void *)d->values, 1.5);
}

static void refuse_data(const char *spec, int code, const char *end)
{
    Trap t;
    if (!CATCH(&t)) {
        data_open(spec);
        trap_end();
    }
    expect_message(&t, code, end);
}

static void test_idx_bad(void)
{
    const char *x = put_file("x", idx_images, sizeof idx_images),
               *y = put_file("y", idx_labels, sizeof idx_labels);
    refuse_data(put_file("b", idx_images, sizeof idx_images - 1), 1,
                "damaged IDX file: uint8[2,1,3] needs 6 bytes, there are 5");
    refuse_data(put_file("b", "\0\0\x08\xff\0\0\0\1", 8), 1, "damaged IDX file: 255 dimensions in 8 bytes");
    refuse_data(put_file("b", "\0\0\x08\0", 4), 1, "damaged IDX file: 0 dimensions in 4 bytes");
    refuse_data(put_file("b", "\0\0\x07\1\0\0\0\0", 8), 1, "not an IDX file");
    refuse_data(put_file("b", "\0\0\x08\1\0\0\0\0", 8), 1, "uint8[0] holds no samples");
    refuse_data(put_file("b", "hello", 5), 1, "not a data file: neither IDX (gzip or not) nor .npy");
    refuse_data(put_file("b", "", 0), 1, "not a data file: neither IDX (gzip or not) nor .npy");
    refuse_data(path_of("missing"), 1, "missing: cannot read: No such file or directory");
    refuse_data(folder, 1, "cannot read: it is a directory");
    refuse_data(mem_printf("%s,%s,%s", x, y, y), 2,
                "3 files; take IMAGES,LABELS or FILE.npz or CIFAR-10 FILE.bin,...");
    refuse_data(mem_printf("%s,", x), 2, "a file name is empty");
    static const uint8_t one[] = {0, 0, 8, 1, 0, 0, 0, 1, 7};
    refuse_data(mem_printf("%s,%s", x, put_file("o", one, sizeof one)), 1, "1 labels for 2 samples");
    refuse_data(mem_printf("%s,%s", y, x), 1, "labels must be one number per sample, not uint8[2,1,3]");
    static const uint8_t minus[] = {0, 0, 9, 1, 0, 0, 0, 2, 1, 255};
    refuse_data(mem_printf("%s,%s", x, put_file("m", minus, sizeof minus)), 1,
                "label -1 of sample 1: labels count from 0");
    char whole[64];
    FILE *f = fopen(put_gzip("z.gz", idx_images, sizeof idx_images), "rb");
    size_t n = fread(whole, 1, sizeof whole, f);
    fclose(f);
    refuse_data(put_file("z.gz", whole, n - 9), 1, "the gzip file is cut off");
    whole[n / 2] ^= 0x55;
    Trap t;
    const char *damaged = put_file("z.gz", whole, n);
    if (!CATCH(&t)) {
        data_open(damaged);
        trap_end();
    }
    CU_ASSERT_EQUAL(t.code, 1);
}

/* ---- .npy pairs, .npz, CIFAR-10 ---- */

static void add_array(struct archive *a, const char *name, Type t, const void *data)
{
    size_t len;
    npy_write(path_of("entry.npy"), t, data);
    const uint8_t *bytes = file_map(path_of("entry.npy"), &len);
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, name);
    archive_entry_set_size(e, (la_int64_t)len);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_write_header(a, e);
    archive_write_data(a, bytes, len);
    archive_entry_free(e);
}

static const float three[] = {1, 2, 3};
static const int64_t three_labels[] = {2, 0, 1};

static const char *make_npz(const char *name, const char *x, const char *y, bool compressed)
{
    struct archive *a = archive_write_new();
    archive_write_set_format_zip(a);
    archive_write_set_options(a, compressed ? "zip:compression=deflate" : "zip:compression=store");
    archive_write_open_filename(a, path_of(name));
    add_array(a, x, type_make(DT_F32, 2, (const int64_t[]){3, 1}), three);
    add_array(a, y, type_make(DT_I64, 1, (const int64_t[]){3}), three_labels);
    archive_write_free(a);
    return path_of(name);
}

static void test_npz(void)
{
    for (int compressed = 0; compressed < 2; compressed++) {
        const Dataset *d = data_open(make_npz("d.npz", "x.npy", "y.npy", compressed));
        CU_ASSERT_EQUAL_FATAL(d->count, 3);
        CU_ASSERT_STRING_EQUAL(type_text(d->sample), "float[1]");
        CU_ASSERT_EQUAL(memcmp(d->values, three, sizeof three), 0);
        CU_ASSERT_EQUAL(memcmp(d->labels, three_labels, sizeof three_labels), 0);
    }
    refuse_data(make_npz("e.npz", "x_train.npy", "y_train.npy", true), 1,
                "has no array x (and y for labels); there are: x_train.npy, y_train.npy");
    size_t len;
    const uint8_t *bytes = file_map(path_of("d.npz"), &len);
    const char *cut = put_file("c.npz", bytes, 40);
    Trap t;
    if (!CATCH(&t)) {
        data_open(cut);
        trap_end();
    }
    CU_ASSERT_EQUAL(t.code, 1);
}

static void test_npy_pair(void)
{
    npy_write(path_of("x.npy"), type_make(DT_F32, 2, (const int64_t[]){3, 1}), three);
    npy_write(path_of("y.npy"), type_make(DT_I64, 2, (const int64_t[]){3, 1}), three_labels);
    const Dataset *d = open_pair(path_of("x.npy"), path_of("y.npy"));
    CU_ASSERT_EQUAL(memcmp(d->labels, three_labels, sizeof three_labels), 0);
    d = open_pair(path_of("y.npy"), path_of("x.npy"));
    CU_ASSERT_PTR_NULL(d->labels);
    CU_ASSERT_EQUAL(d->target_size, 1);
    CU_ASSERT_EQUAL(memcmp(d->targets, three, sizeof three), 0);
}

static void test_cifar(void)
{
    enum { RECORD = 3073 };
    static uint8_t file[2 * RECORD];
    file[0] = 3;
    file[1] = 10;
    file[RECORD] = 9;
    file[2 * RECORD - 1] = 77;
    const char *a = put_file("a.bin", file, 2 * RECORD), *b = put_file("b.bin", file + RECORD, RECORD);
    const Dataset *d = open_pair(a, b);
    CU_ASSERT_EQUAL_FATAL(d->count, 3);
    CU_ASSERT_STRING_EQUAL(type_text(d->sample), "uint8[3,32,32]");
    CU_ASSERT_EQUAL(d->labels[0], 3);
    CU_ASSERT_EQUAL(d->labels[2], 9);
    CU_ASSERT_EQUAL(d->values[0], 10);
    CU_ASSERT_EQUAL(d->values[3 * 3072 - 1], 77);
    refuse_data(put_file("c.bin", file, 100), 1, "not a CIFAR-10 file: 100 bytes are not a multiple of 3073");
}

/* ---- samples as inputs ---- */

/* Two channels of 1 x 3 pixels: channel 0 is 1 2 3, channel 1 is 10 20 30. */
static const float planes[] = {1, 2, 3, 10, 20, 30}, pixels[] = {1, 10, 2, 20, 3, 30};

static const LayoutWord said[] = {[IMAGES_NCHW] = {NULL, IMAGES_NCHW}, [IMAGES_NHWC] = {NULL, IMAGES_NHWC}};

static DataOptions options_of(ImageLayout l)
{
    return (DataOptions){.scale = 1, .layout = {&said[l], l ? 1 : 0}};
}

static Dataset *image_set(bool nhwc)
{
    Dataset *d = NEW(Dataset);
    *d = (Dataset){.spec = "set", .count = 1, .values = (const uint8_t *)(nhwc ? pixels : planes)};
    d->sample = nhwc ? type_make(DT_F32, 3, (const int64_t[]){1, 3, 2})
                     : type_make(DT_F32, 3, (const int64_t[]){2, 1, 3});
    return d;
}

static Graph *graph_with_input(DType dtype, int rank, const int64_t *dims)
{
    Graph *g = graph_new("m.onnx", "m");
    g->inputs = NEW_ARRAY(Tensor *, 1);
    g->inputs[g->num_inputs++] = graph_tensor(g, "in", type_make(dtype, rank, dims));
    return g;
}

/* With the channels on this axis; 0: not told. */
static Graph *graph_with_channels(int rank, const int64_t *dims, int axis)
{
    Graph *g = graph_with_input(DT_F32, rank, dims);
    if (axis)
        g->inputs[0]->channels = (Channels){.told = true, .batch = true, .axis = axis};
    return g;
}

/* The samples say what they are, and do not. */
static void check_feed(bool nhwc, int rank, const int64_t *dims, int axis, const float *expected)
{
    float x[6];
    for (int i = 0; i < 2; i++) {
        ImageLayout l = nhwc ? IMAGES_NHWC : IMAGES_NCHW;
        DataOptions c = options_of(i ? l : IMAGES_UNSAID);
        data_sample(data_feed(image_set(nhwc), graph_with_channels(rank, dims, axis), &c), 0, x);
        CU_ASSERT_EQUAL(memcmp(x, expected, sizeof x), 0);
    }
}

static void test_feed_layouts(void)
{
    static const int64_t nchw[] = {1, 2, 1, 3}, nhwc[] = {1, 1, 3, 2}, flat[] = {1, 6}, chw[] = {2, 1, 3};
    static const int64_t nhcw[] = {1, 1, 2, 3};
    check_feed(false, 3, chw, 0, planes);
    for (int told = 0; told < 2; told++) {
        check_feed(false, 4, nchw, told ? 1 : 0, planes);
        check_feed(false, 4, nhwc, told ? 3 : 0, pixels);
        check_feed(false, 2, flat, told ? 1 : 0, planes);
        check_feed(true, 4, nchw, told ? 1 : 0, planes);
        check_feed(true, 4, nhwc, told ? 3 : 0, pixels);
        check_feed(true, 2, flat, told ? 1 : 0, pixels);
    }
    check_feed(false, 4, nhcw, 2, planes);
    check_feed(true, 4, nhcw, 2, planes);
}

static const float cube[] = {0, 1, 2, 3, 4, 5, 6, 7}, turned[] = {0, 2, 4, 6, 1, 3, 5, 7};
static const float from_planes[] = {0, 4, 1, 5, 2, 6, 3, 7};
static const int64_t cube_dims[] = {1, 2, 2, 2};

static const DataFeed *cube_feed(ImageLayout l, int axis)
{
    Dataset *d = NEW(Dataset);
    *d = (Dataset){.spec = "set", .count = 1, .values = (const uint8_t *)cube};
    d->sample = type_make(DT_F32, 3, cube_dims + 1);
    DataOptions c = options_of(l);
    return data_feed(d, graph_with_channels(4, cube_dims, axis), &c);
}

/* A cube fits both ways: the model tells, or has to be told of. */
static void test_feed_cube(void)
{
    static const float *const expected[][4] = {[IMAGES_UNSAID] = {cube, cube, NULL, cube},
                                               [IMAGES_NCHW] = {NULL, cube, NULL, from_planes},
                                               [IMAGES_NHWC] = {NULL, turned, NULL, cube}};
    for (ImageLayout l = IMAGES_UNSAID; l <= IMAGES_NHWC; l++)
        for (int axis = 0; axis < 4; axis++) {
            float x[8];
            if (!expected[l][axis])
                continue;
            data_sample(cube_feed(l, axis), 0, x);
            CU_ASSERT_EQUAL(memcmp(x, expected[l][axis], sizeof x), 0);
        }
    Trap t;
    if (!CATCH(&t)) {
        cube_feed(IMAGES_NHWC, 0);
        trap_end();
    }
    expect_message(
        &t, 2,
        "--layout nhwc: samples of float[2,2,2] fit input 'in' of m.onnx, which is float[1,2,2,2], "
        "in both orders of axes, and its layers do not show which it has: add --model-layout nchw "
        "or nhwc");
}

static void test_feed_normalisation(void)
{
    static const int64_t dims[] = {1, 2, 1, 3}, nhwc_dims[] = {1, 1, 3, 2};
    static const double mean[] = {1, 10}, std[] = {0.5, 2};
    static const float expected[] = {2, 6, 10, 5, 15, 25}, last[] = {2, 5, 6, 15, 10, 25};
    for (int nhwc = 0; nhwc < 2; nhwc++) {
        DataOptions c = options_of(nhwc ? IMAGES_NHWC : IMAGES_UNSAID);
        c.scale = 2;
        c.mean = (Numbers){mean, 2};
        c.std = (Numbers){std, 2};
        float x[6];
        data_sample(data_feed(image_set(nhwc), graph_with_channels(4, dims, 1), &c), 0, x);
        CU_ASSERT_EQUAL(memcmp(x, expected, sizeof x), 0);
        c.layout.count = 0;
        data_sample(data_feed(image_set(nhwc), graph_with_channels(4, nhwc_dims, 3), &c), 0, x);
        CU_ASSERT_EQUAL(memcmp(x, last, sizeof x), 0);
    }
}

/* Signals, volumes, features. */
static void check_ranks(int sample_rank, const int64_t *sample, int rank, const int64_t *dims, int axis,
                        int64_t channels, const float *expected)
{
    static const double mean[] = {0, 0, 0, 0, 0, 0};
    Dataset d = {.spec = "set", .count = 1, .values = (const uint8_t *)planes};
    d.sample = type_make(DT_F32, sample_rank, sample);
    DataOptions c = options_of(IMAGES_UNSAID);
    c.mean = (Numbers){mean, (int)channels};
    const DataFeed *f = data_feed(&d, graph_with_channels(rank, dims, axis), &c);
    float x[6];
    data_sample(f, 0, x);
    CU_ASSERT_EQUAL(f->c, channels);
    CU_ASSERT_EQUAL(memcmp(x, expected, sizeof x), 0);
}

static void test_feed_ranks(void)
{
    static const int64_t cw[] = {2, 3}, ncw[] = {1, 2, 3}, nwc[] = {1, 3, 2};
    static const int64_t cdhw[] = {2, 1, 1, 3}, ncdhw[] = {1, 2, 1, 1, 3}, ndhwc[] = {1, 1, 1, 3, 2};
    static const int64_t row[] = {6}, rows[] = {1, 6}, gray[] = {1, 2, 3, 1};
    check_ranks(2, cw, 3, ncw, 1, 2, planes);
    check_ranks(2, cw, 3, nwc, 2, 2, pixels);
    check_ranks(4, cdhw, 5, ncdhw, 1, 2, planes);
    check_ranks(4, cdhw, 5, ndhwc, 4, 2, pixels);
    check_ranks(1, row, 2, rows, 1, 6, planes);
    check_ranks(1, row, 3, ncw, 1, 2, planes);
    check_ranks(2, cw, 4, gray, 3, 1, planes);
    check_ranks(2, cw, 2, rows, 1, 1, planes);
}

static void refuse_feed(DType dtype, int rank, const int64_t *dims, const DataOptions *c, int axis, int code,
                        const char *end)
{
    Dataset *d = image_set(false);
    Graph *g = graph_with_channels(rank, dims, axis);
    g->inputs[0]->type.dtype = dtype;
    Trap t;
    if (!CATCH(&t)) {
        data_feed(d, g, c);
        trap_end();
    }
    expect_message(&t, code, end);
}

static void test_feed_bad(void)
{
    static const int64_t other[] = {1, 3, 1, 2}, more[] = {2, 2, 1, 3}, good[] = {1, 2, 1, 3},
                         flat[] = {1, 6};
    static const double three_numbers[] = {1, 2, 3};
    DataOptions c = options_of(IMAGES_UNSAID), nhwc = options_of(IMAGES_NHWC);
    refuse_feed(DT_F32, 4, other, &c, 0, 1,
                "set: samples of float[2,1,3] do not fit input 'in' of m.onnx, which is float[1,3,1,2], in "
                "either order of axes");
    refuse_feed(
        DT_F32, 4, good, &nhwc, 1, 1,
        "set: samples of float[2,1,3], nhwc, do not fit input 'in' of m.onnx, which is float[1,2,1,3] "
        "with the channels on axis 1");
    refuse_feed(DT_F32, 4, more, &c, 0, 1,
                "set: samples of float[2,1,3] do not fit input 'in' of m.onnx, which is float[2,2,1,3]");
    refuse_feed(DT_U8, 4, good, &c, 1, 1, "m.onnx: a data set feeds float inputs; 'in' is uint8[1,2,1,3]");
    c.mean = (Numbers){three_numbers, 3};
    refuse_feed(DT_F32, 4, good, &c, 1, 2,
                "--mean: 3 numbers, but axis 0 of the samples, float[2,1,3], has 2 channels");
    refuse_feed(
        DT_F32, 2, flat, &c, 1, 2,
        "--mean: 3 numbers, but which axis of the samples, float[2,1,3], has the channels is not known: "
        "add --layout nchw or nhwc");
}

/* ---- progress ---- */

/* What a bar writes to stderr after `seconds` of work. */
static const char *bar_after(const char *label, double seconds, bool tty)
{
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    FILE *f = fopen(path_of("bar"), "w+b");
    dup2(fileno(f), STDERR_FILENO);
    Progress p;
    progress_begin(&p, label, 40);
    CU_ASSERT_FALSE(p.tty);
    p.tty = tty;
    p.start -= seconds;
    progress_update(&p, 20);
    progress_update(&p, 21);
    progress_end(&p);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    char *text = mem_alloc(512);
    rewind(f);
    text[fread(text, 1, 511, f)] = 0;
    fclose(f);
    return text;
}

static void test_progress(void)
{
    CU_ASSERT_STRING_EQUAL(bar_after("eval", 0.5, true), "");
    CU_ASSERT_STRING_EQUAL(bar_after("eval", 5, false), "");
    CU_ASSERT_STRING_EQUAL(bar_after("eval", 5, true),
                           "\r\033[Keval [###############               ] 5 s left\r\033[K");
    CU_ASSERT_STRING_EQUAL(bar_after("eval", 600, true),
                           "\r\033[Keval [###############               ] 10 min left\r\033[K");
    CU_ASSERT_STRING_EQUAL(bar_after("eval", 5000, true),
                           "\r\033[Keval [###############               ] 1 h 23 min left\r\033[K");
    /* It fits into 80 columns. */
    const char *label = "epoch 10/12, accuracy 99.28 %, loss 0.0312, zeros 38.1 %";
    CU_ASSERT_STRING_EQUAL(bar_after(label, 600, true),
                           mem_printf("\r\033[K%s [####    ] 10 min left\r\033[K", label));
    label = mem_printf("%s, and more than there is room for", label);
    CU_ASSERT_STRING_EQUAL(bar_after(label, 5, true), mem_printf("\r\033[K%.70s 5 s left\r\033[K", label));
}

/* ---- real data, where present ---- */

static void check_real(const char *base, int64_t first_label)
{
    const char *x = mem_printf("%s/t10k-images-idx3-ubyte.gz", base);
    if (access(x, R_OK)) {
        printf("skipped: %s is not there ", x);
        return;
    }
    const Dataset *d = open_pair(x, mem_printf("%s/t10k-labels-idx1-ubyte.gz", base));
    CU_ASSERT_EQUAL(d->count, 10000);
    CU_ASSERT_STRING_EQUAL(type_text(d->sample), "uint8[28,28]");
    CU_ASSERT_EQUAL(d->labels[0], first_label);
}

static void test_real_sets(void)
{
    const char *shared = getenv("TERNC_SHARED");
    check_real(mem_printf("%s/data/mnist", shared ? shared : "../shared"), 7);
    check_real("/usr/share/datasets/fashion-mnist", 9);
}

static void add_tests(CU_pSuite s)
{
    CU_add_test(s, "npy round trip", test_npy_round_trip);
    CU_add_test(s, "npy headers", test_npy_headers);
    CU_add_test(s, "npy half", test_npy_half);
    CU_add_test(s, "npy bad", test_npy_bad);
    CU_add_test(s, "npy cut", test_npy_cut);
    CU_add_test(s, "idx", test_idx);
    CU_add_test(s, "idx bad", test_idx_bad);
    CU_add_test(s, "npz", test_npz);
    CU_add_test(s, "npy pair", test_npy_pair);
    CU_add_test(s, "cifar", test_cifar);
    CU_add_test(s, "feed layouts", test_feed_layouts);
    CU_add_test(s, "feed cube", test_feed_cube);
    CU_add_test(s, "feed normalisation", test_feed_normalisation);
    CU_add_test(s, "feed ranks", test_feed_ranks);
    CU_add_test(s, "feed bad", test_feed_bad);
    CU_add_test(s, "progress", test_progress);
    CU_add_test(s, "real sets", test_real_sets);
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command))
        fprintf(stderr, "cannot remove %s\n", folder);
}

int main(void)
{
    snprintf(folder, sizeof folder, "unit_data.XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    CU_initialize_registry();
    add_tests(CU_add_suite("data", NULL, NULL));
    CU_basic_run_tests();
    remove_folder();
    return CU_get_number_of_failures() != 0;
}
