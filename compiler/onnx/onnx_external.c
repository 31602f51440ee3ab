/* onnx_external.c - elements of a tensor that lie in another file than the model (TensorProto.external_data).
 *
 * The file must lie in the model's folder or below it, also after symbolic links are followed: a model must
 * not be able to read what its user did not put beside it. Elements are used where the file is mapped when
 * they are aligned there. The checksum that a file may give is not looked at. Source: ONNX's text on external
 * data. */
#include "base/out_file.h"
#include "onnx/onnx_proto.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Extent {
    const char *location;
    uint64_t offset, length;
    bool has_length;
} Extent;

static uint64_t parse_bytes(const Place *at, const char *key, const char *text)
{
    uint64_t v = 0;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9' || v > (uint64_t)1 << 56)
            fail_tensor(at, "external data: '%s' is '%s', not a number of bytes", key, text);
        v = 10 * v + (uint64_t)(*p - '0');
    }
    if (!text[0])
        fail_tensor(at, "external data: '%s' is empty", key);
    return v;
}

static Extent parse_extent(const Place *at, const Onnx__TensorProto *p)
{
    Extent e = {0};
    for (size_t i = 0; i < p->n_external_data; i++) {
        const char *key = p->external_data[i]->key ? p->external_data[i]->key : "";
        const char *value = p->external_data[i]->value ? p->external_data[i]->value : "";
        if (!strcmp(key, "location")) {
            e.location = value;
        } else if (!strcmp(key, "offset")) {
            e.offset = parse_bytes(at, key, value);
        } else if (!strcmp(key, "length")) {
            e.length = parse_bytes(at, key, value);
            e.has_length = true;
        } else if (strcmp(key, "checksum") != 0) {
            fail_tensor(at, "external data: unknown key '%s'", key);
        }
    }
    if (!e.location || !e.location[0])
        fail_tensor(at, "external data: no location is given");
    return e;
}

static const char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return ".";
    return slash == path ? "/" : mem_printf("%.*s", (int)(slash - path), path);
}

static bool leaves_upwards(const char *location)
{
    for (const char *p = location; p; p = strchr(p, '/')) {
        p += *p == '/';
        if (p[0] == '.' && p[1] == '.' && (!p[2] || p[2] == '/'))
            return true;
    }
    return false;
}

/* The real path of the file; fails when it is missing or not below the model's folder. */
static const char *find_file(const Place *at, const char *location)
{
    if (location[0] == '/' || leaves_upwards(location))
        fail_tensor(at, "external data: location '%s' must be a path below the model's folder", location);
    const char *folder = folder_of(at->file), *path = mem_printf("%s/%s", folder, location);
    char base[PATH_MAX], real[PATH_MAX];
    if (!realpath(raw_text(folder), base) || !realpath(raw_text(path), real))
        fail_tensor(at, "external data: cannot read %s: %s; the file belongs beside the model", path,
                    strerror(errno));
    size_t n = strcmp(base, "/") != 0 ? strlen(base) : 0;
    bool inside = !strncmp(base, real, n) && real[n] == '/';
    if (!inside)
        fail_tensor(at, "external data: %s leads out of the model's folder", path);
    return shown_text(mem_strdup(real));
}

static const uint8_t *read_range(const Place *at, int fd, uint64_t offset, size_t len)
{
    uint8_t *data = mem_alloc(len ? len : 1);
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(fd, data + done, len - done, (off_t)(offset + done));
        if (n <= 0)
            fail_tensor(at, "external data: cannot read it: %s", n ? strerror(errno) : "it was cut short");
        done += (size_t)n;
    }
    return data;
}

/* len bytes of the open file, from offset on, mapped read-only. What is smaller than a page is read: a
 * process may not have very many maps. */
static const uint8_t *map_range(const Place *at, const char *path, int fd, uint64_t offset, size_t len)
{
    if (len < (size_t)sysconf(_SC_PAGESIZE))
        return read_range(at, fd, offset, len);
    const uint8_t *p = file_map_part(path, fd, offset, len);
    if (!p)
        fail_tensor(at, "external data: cannot map %s: %s", path, strerror(errno));
    return p;
}

const uint8_t *onnx_external_data(const Place *at, const Onnx__TensorProto *p, Type t)
{
    Extent e = parse_extent(at, p);
    size_t len = type_bytes(t), align = dtype_size(t.dtype);
    if (e.has_length && e.length != len)
        fail_tensor(at, "%s needs %zu bytes, but its external data has %" PRIu64, type_text(t), len,
                    e.length);
    const char *path = find_file(at, e.location), *problem;
    size_t size;
    int fd = file_open(path, &size, &problem);
    if (fd < 0)
        fail_tensor(at, "external data: cannot read %s: %s", path, problem);
    if (e.offset > size || len > size - e.offset)
        fail_tensor(at, "external data: %s has %zu bytes, but bytes %" PRIu64 " to %" PRIu64 " are wanted",
                    path, size, e.offset, e.offset + len);
    const uint8_t *data = map_range(at, path, fd, e.offset, len);
    close(fd);
    if ((uintptr_t)data % align == 0)
        return data;
    return memcpy(mem_alloc(len), data, len);
}
