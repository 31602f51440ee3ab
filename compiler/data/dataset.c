/* dataset.c - data sets from files: IDX (MNIST and its relatives, gzip or not), .npy, .npz, CIFAR-10's binary
 * form.
 *
 * What a file is, is read from its first bytes; only CIFAR-10 files, which have no mark, go by their ending
 * ".bin". Sources: IDX: the MNIST page of LeCun, Cortes and Burges; CIFAR-10: the data set's page by
 * Krizhevsky. */
#include "base/out_file.h"
#include "data/data.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ---- IDX: 0, 0, element type, rank, dims as big-endian uint32, elements in big-endian order ---- */

static Text read_gzip(const char *path)
{
    enum { STEP = 1 << 18 };
    gzFile f = gzopen(raw_text(path), "rb");
    if (!f)
        fail("%s: cannot read", path);
    Text t = {0};
    char *buffer = mem_alloc(STEP);
    for (int n; (n = gzread(f, buffer, STEP)) != 0;) {
        if (n < 0)
            fail("%s: cannot read: %s", path, shown_text(gzerror(f, &n)));
        text_add(&t, buffer, (size_t)n);
    }
    if (gzclose(f) != Z_OK)
        fail("%s: the gzip file is cut off", path);
    return t;
}

static DType idx_dtype(int code)
{
    switch (code) {
    case 0x08: return DT_U8;
    case 0x09: return DT_I8;
    case 0x0b: return DT_I16;
    case 0x0c: return DT_I32;
    case 0x0d: return DT_F32;
    case 0x0e: return DT_F64;
    default: return DT_NONE;
    }
}

static uint64_t big_endian(const uint8_t *p, size_t size)
{
    uint64_t v = 0;
    for (size_t i = 0; i < size; i++)
        v = v << 8 | p[i];
    return v;
}

static const void *native_elements(const uint8_t *from, DType d, int64_t count)
{
    size_t size = dtype_size(d);
    uint8_t *to = mem_array(count, size);
    for (int64_t i = 0; i < count; i++) {
        uint64_t v = big_endian(from + (size_t)i * size, size);
        uint8_t *p = to + (size_t)i * size;
        switch (size) {
        case 1: memcpy(p, &(uint8_t){(uint8_t)v}, 1); break;
        case 2: memcpy(p, &(uint16_t){(uint16_t)v}, 2); break;
        case 4: memcpy(p, &(uint32_t){(uint32_t)v}, 4); break;
        default: memcpy(p, &v, 8); break;
        }
    }
    return to;
}

static Tensor *read_idx(const char *path)
{
    Text file = read_gzip(path);
    const uint8_t *p = (const uint8_t *)file.data;
    if (file.len < 4 || p[0] || p[1] || idx_dtype(p[2]) == DT_NONE)
        fail("%s: not an IDX file", path);
    Type t = {.dtype = idx_dtype(p[2]), .rank = p[3]};
    size_t start = 4 + 4 * (size_t)p[3];
    if (t.rank < 1 || t.rank > MAX_RANK || file.len < start)
        fail("%s: damaged IDX file: %d dimensions in %zu bytes", path, t.rank, file.len);
    for (int i = 0; i < t.rank; i++)
        t.dims[i] = (int64_t)big_endian(p + 4 + 4 * (size_t)i, 4);
    if (type_bytes(t) != file.len - start)
        fail("%s: damaged IDX file: %s needs %zu bytes, there are %zu", path, type_text(t), type_bytes(t),
             file.len - start);
    Tensor *tensor = NEW(Tensor);
    tensor->name = path;
    tensor->type = t;
    tensor->data = native_elements(p + start, t.dtype, type_elems(t));
    text_free(&file);
    return tensor;
}

static bool starts_with(const uint8_t *data, size_t len, const char *magic, size_t n)
{
    return len >= n && !memcmp(data, magic, n);
}

static Tensor *read_array(const char *path)
{
    size_t len;
    const uint8_t *data = file_map(path, &len);
    if (starts_with(data, len, "\x93NUMPY", 6))
        return npy_parse(path, data, len);
    if (starts_with(data, len, "\x1f\x8b", 2) || starts_with(data, len, "\0\0", 2))
        return read_idx(path);
    fail("%s: not a data file: neither IDX (gzip or not) nor .npy", path);
}

/* ---- .npz: a zip archive of .npy files ---- */

static Text read_entry(struct archive *a, const char *path)
{
    enum { STEP = 1 << 18 };
    Text t = {0};
    char *buffer = mem_alloc(STEP);
    for (la_ssize_t n; (n = archive_read_data(a, buffer, STEP)) != 0;) {
        if (n < 0)
            fail("%s: cannot read: %s", path, shown_text(archive_error_string(a)));
        text_add(&t, buffer, (size_t)n);
    }
    return t;
}

/* The arrays x and y; *y stays NULL when there is none. */
static void read_npz(const char *path, Tensor **x, Tensor **y)
{
    struct archive *a = archive_read_new();
    archive_read_support_format_zip(a);
    if (archive_read_open_filename(a, raw_text(path), 1 << 16) != ARCHIVE_OK)
        fail("%s: cannot read: %s", path, shown_text(archive_error_string(a)));
    Text names = {0};
    struct archive_entry *entry;
    int status;
    while ((status = archive_read_next_header(a, &entry)) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(entry);
        name = name ? shown_text(name) : "?";
        text_printf(&names, "%s%s", names.len ? ", " : "", name);
        Tensor **t = NULL;
        if (!strcmp(name, "x.npy"))
            t = x;
        else if (!strcmp(name, "y.npy"))
            t = y;
        if (t) {
            Text array = read_entry(a, path); /* lives on: the tensor points into it */
            *t = npy_parse(mem_printf("%s: %s", path, name), (const uint8_t *)array.data, array.len);
        }
    }
    if (status != ARCHIVE_EOF)
        fail("%s: cannot read: %s", path, shown_text(archive_error_string(a)));
    archive_read_free(a);
    if (!*x)
        fail("%s: has no array x (and y for labels); there are: %s", path, names.len ? names.data : "none");
    text_free(&names);
}

/* ---- CIFAR-10: per image one byte of label, then 3 planes of 32 x 32 ---- */

static bool all_cifar(const Strings *paths)
{
    for (int i = 0; i < paths->count; i++) {
        size_t n = strlen(paths->items[i]);
        if (n < 4 || strcmp(paths->items[i] + n - 4, ".bin"))
            return false;
    }
    return true;
}

static void open_cifar(Dataset *d, const Strings *paths)
{
    enum { IMAGE = 3 * 32 * 32, RECORD = 1 + IMAGE };
    const uint8_t **files = NEW_ARRAY(const uint8_t *, paths->count);
    int64_t *counts = NEW_ARRAY(int64_t, paths->count);
    for (int i = 0; i < paths->count; i++) {
        size_t len;
        files[i] = file_map(paths->items[i], &len);
        if (!len || len % RECORD)
            fail("%s: not a CIFAR-10 file: %zu bytes are not a multiple of %d", paths->items[i], len, RECORD);
        counts[i] = (int64_t)(len / RECORD);
        d->count += counts[i];
    }
    d->sample = type_make(DT_U8, 3, (const int64_t[]){3, 32, 32});
    d->layout = IMAGES_NCHW;
    uint8_t *values = mem_array(d->count, IMAGE);
    int64_t *labels = NEW_ARRAY(int64_t, d->count);
    d->values = values;
    d->labels = labels;
    for (int i = 0; i < paths->count; i++)
        for (int64_t k = 0; k < counts[i]; k++, values += IMAGE) {
            const uint8_t *record = files[i] + k * RECORD;
            *labels++ = record[0];
            memcpy(values, record + 1, IMAGE);
        }
}

/* ---- data sets ---- */

static void set_images(Dataset *d, const Tensor *x)
{
    if (x->type.rank < 1 || !x->type.dims[0])
        fail("%s: %s holds no samples", x->name, type_text(x->type));
    d->count = x->type.dims[0];
    d->sample = type_make(x->type.dtype, x->type.rank - 1, x->type.dims + 1);
    d->values = x->data;
}

/* Numbers to come near to. */
static void set_targets(Dataset *d, const Tensor *y)
{
    Type t = y->type;
    int64_t n = type_elems(t);
    if (t.rank < 1 || t.dims[0] != d->count)
        fail("%s: targets of %s for %s samples", y->name, type_text(t), int_text(d->count));
    float *targets = NEW_ARRAY(float, n);
    for (int64_t i = 0; i < n; i++)
        targets[i] = (float)elem_get(y->data, t.dtype, i);
    d->targets = targets;
    d->target_size = n / d->count;
}

static void set_labels(Dataset *d, const Tensor *y)
{
    Type t = y->type;
    int64_t n = type_elems(t);
    if (dtype_is_float(t.dtype)) {
        set_targets(d, y);
        return;
    }
    if (t.dtype == DT_BOOL)
        fail("%s: labels must be whole numbers, not %s", y->name, type_text(t));
    if (t.rank < 1 || n != t.dims[0])
        fail("%s: labels must be one number per sample, not %s", y->name, type_text(t));
    if (n != d->count)
        fail("%s: %s labels for %s samples", y->name, int_text(n), int_text(d->count));
    int64_t *labels = NEW_ARRAY(int64_t, n);
    for (int64_t i = 0; i < n; i++) {
        double v = elem_get(y->data, t.dtype, i);
        if (v < 0 || v > INT32_MAX)
            fail("%s: label %.0f of sample %s: labels count from 0", y->name, v, int_text(i));
        labels[i] = (int64_t)v;
    }
    d->labels = labels;
}

static Strings split_spec(const char *spec)
{
    const char **items = NEW_ARRAY(const char *, (int64_t)strlen(spec) + 1);
    int count = 0;
    for (char *rest = mem_strdup(spec), *part; (part = strsep(&rest, ","));)
        items[count++] = part;
    for (int i = 0; i < count; i++)
        if (!items[i][0])
            usage("--data '%s': a file name is empty", spec);
    return (Strings){.items = items, .count = count};
}

static bool is_zip(const char *path)
{
    size_t len;
    const uint8_t *data = file_map(path, &len);
    return starts_with(data, len, "PK", 2);
}

static void open_files(Dataset *d, const Strings *paths)
{
    Tensor *x = NULL, *y = NULL;
    if (paths->count > 2)
        usage("--data '%s': %d files; take IMAGES,LABELS or FILE.npz or CIFAR-10 FILE.bin,...", d->spec,
              paths->count);
    if (paths->count == 1 && is_zip(paths->items[0])) {
        read_npz(paths->items[0], &x, &y);
    } else {
        x = read_array(paths->items[0]);
        y = paths->count == 2 ? read_array(paths->items[1]) : NULL;
    }
    set_images(d, x);
    if (y)
        set_labels(d, y);
}

Dataset *data_open(const char *spec)
{
    Dataset *d = NEW(Dataset);
    d->spec = spec;
    Strings paths = split_spec(spec);
    if (all_cifar(&paths))
        open_cifar(d, &paths);
    else
        open_files(d, &paths);
    return d;
}

void data_check_labels(const Dataset *d, const Graph *g, int64_t classes)
{
    for (int64_t i = 0; i < d->count; i++)
        if (d->labels[i] >= classes)
            fail("%s: label %s of sample %s: %s has %s classes, from 0", d->spec, int_text(d->labels[i]),
                 int_text(i), g->file, int_text(classes));
}
