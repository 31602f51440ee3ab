/* size_wasm.c - the functions that a WebAssembly object imports: its IMPORT section, a vector of (module,
 * name, kind, type). Source: WebAssembly core specification, binary format of modules. */
#include "size/size.h"

#include <string.h>

typedef struct WasmReader {
    const uint8_t *at, *end;
    bool bad;
} WasmReader;

static uint8_t read_byte(WasmReader *r)
{
    if (r->at == r->end) {
        r->bad = true;
        return 0;
    }
    return *r->at++;
}

static uint32_t read_number(WasmReader *r)
{
    uint32_t v = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        uint8_t b = read_byte(r);
        v |= shift < 32 ? (uint32_t)(b & 0x7f) << shift : 0;
        if (!(b & 0x80))
            return v;
    }
    r->bad = true;
    return 0;
}

static const char *read_name(WasmReader *r)
{
    uint32_t len = read_number(r);
    if (r->bad || len > (size_t)(r->end - r->at)) {
        r->bad = true;
        return "";
    }
    const char *name = mem_printf("%.*s", (int)len, (const char *)r->at);
    r->at += len;
    return name;
}

static void skip_limits(WasmReader *r)
{
    bool has_maximum = read_byte(r) & 1;
    read_number(r);
    if (has_maximum)
        read_number(r);
}

enum { FUNCTION, TABLE, MEMORY, GLOBAL };

static void skip_type(WasmReader *r, uint8_t kind)
{
    switch (kind) {
    case FUNCTION: read_number(r); break;
    case TABLE: read_byte(r), skip_limits(r); break;
    case MEMORY: skip_limits(r); break;
    case GLOBAL: read_byte(r), read_byte(r); break;
    default: r->bad = true;
    }
}

int wasm_imports(const uint8_t *data, size_t len, const char ***names)
{
    WasmReader r = {data, data + len, false};
    uint32_t imports = read_number(&r);
    int count = 0;
    *names = NEW_ARRAY(const char *, (int64_t)len + 1); /* an import takes a byte at least */
    for (uint32_t i = 0; i < imports && !r.bad; i++) {
        read_name(&r);
        const char *name = read_name(&r);
        uint8_t kind = read_byte(&r);
        skip_type(&r, kind);
        if (kind == FUNCTION && !r.bad)
            (*names)[count++] = name;
    }
    if (r.bad)
        fail("the compiler's WebAssembly object has a broken import section");
    return count;
}
