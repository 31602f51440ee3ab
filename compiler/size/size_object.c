/* size_object.c - what an object file holds, through LLVM's C API: loaded sections, who refers to whom, and
 * what is missing. The API tells names and sizes but no flags, so that a section's kind goes by its name; a
 * name that nobody knows counts as constants and stays visible. LLVM 14's wasm names have no end and its
 * symbol sizes crash: there, only totals are read, and the imports by size_wasm.c. */
#include "size/size.h"

#include <llvm-c/Core.h>
#include <llvm-c/Object.h>
#include <stdlib.h>
#include <string.h>

static bool starts(const char *s, const char *with)
{
    return !strncmp(s, with, strlen(with));
}

/* ---- sections by name ---- */

typedef struct SectionName {
    const char *start;
    int kind; /* a SectionKind, or -1: not loaded */
} SectionName;

static const SectionName section_names[] = {
    {".text", SECTION_CODE},
    {".init", SECTION_CODE},
    {".fini", SECTION_CODE},
    {".rodata", SECTION_CONST},
    {".srodata", SECTION_CONST},
    {".lrodata", SECTION_CONST},
    {".progmem", SECTION_CONST},
    {".ARM.exidx", SECTION_CONST},
    {".ARM.extab", SECTION_CONST},
    {".eh_frame", SECTION_CONST},
    {".data", SECTION_DATA},
    {".sdata", SECTION_DATA},
    {".ldata", SECTION_DATA},
    {".tdata", SECTION_DATA},
    {".bss", SECTION_BSS},
    {".sbss", SECTION_BSS},
    {".lbss", SECTION_BSS},
    {".tbss", SECTION_BSS},
    {".noinit", SECTION_BSS},
    {".rel", -1},
    {".rela", -1},
    {".symtab", -1},
    {".strtab", -1},
    {".shstrtab", -1},
    {".comment", -1},
    {".note", -1},
    {".llvm", -1},
    {".debug", -1},
    {".group", -1},
    {".stack_sizes", -1},
    {".ARM.attributes", -1},
    {".riscv.attributes", -1},
    {".gnu.attributes", -1},
    {".deplibs", -1},
};

/* A whole part of a dotted name: ".text" and ".text.layer0", not ".textual". */
static bool is_section(const char *name, const char *start)
{
    size_t n = strlen(start);
    return !strncmp(name, start, n) && (!name[n] || name[n] == '.' || name[n] == '_');
}

static int section_kind(const char *name)
{
    if (!name || !name[0])
        return -1;
    for (size_t i = 0; i < sizeof section_names / sizeof section_names[0]; i++)
        if (is_section(name, section_names[i].start))
            return section_names[i].kind;
    return SECTION_CONST;
}

/* ".text.layer0" -> "layer0", ".rodata.cst16" -> "", NULL where the name tells no function or array. */
static const char *owner_of(const char *section)
{
    static const char *const groups[] = {".text",  ".rodata", ".srodata", ".data.rel.ro",   ".data",
                                         ".sdata", ".bss",    ".sbss",    ".ARM.exidx.text"};
    const char *owner = "";
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        size_t n = strlen(groups[i]);
        if (starts(section, groups[i]) && section[n] == '.')
            owner = section + n + 1;
    }
    return starts(owner, "cst") || starts(owner, "str") ? "" : owner;
}

static void *grown(const void *old, int count, size_t size)
{
    if (count & (count - 1)) /* capacity: the next power of two */
        return NULL;
    void *more = mem_array(count ? 2 * (int64_t)count : 1, size);
    if (count)
        memcpy(more, old, (size_t)count * size);
    return more;
}

static void add_part(SizeObject *o, const char *section, const char *name, SectionKind kind, int64_t bytes)
{
    SizePart *more = grown(o->parts, o->num_parts, sizeof *more);
    o->parts = more ? more : o->parts;
    o->parts[o->num_parts++] =
        (SizePart){.section = mem_strdup(section), .name = mem_strdup(name), .kind = kind, .bytes = bytes};
}

/* ---- references between functions ---- */

static void add_call(SizeObject *o, const char *from, const char *to)
{
    SizeCall *more = grown(o->calls, o->num_calls, sizeof *more);
    o->calls = more ? more : o->calls;
    o->calls[o->num_calls++] = (SizeCall){mem_strdup(from), to ? mem_strdup(to) : NULL};
}

static void add_undefined(SizeObject *o, const char *name)
{
    int at = 0;
    while (at < o->num_undefined && strcmp(o->undefined[at], name) < 0)
        at++;
    if (at < o->num_undefined && !strcmp(o->undefined[at], name))
        return;
    const char **more = grown(o->undefined, o->num_undefined, sizeof *more);
    o->undefined = more ? more : o->undefined;
    memmove(&o->undefined[at + 1], &o->undefined[at], (size_t)(o->num_undefined - at) * sizeof *o->undefined);
    o->undefined[at] = mem_strdup(name);
    o->num_undefined++;
}

/* A reference out of the section that `from` names (".text.layer0"). `found` is moved. */
static void read_reference(SizeObject *o, LLVMBinaryRef binary, LLVMRelocationIteratorRef r, const char *from,
                           LLVMSectionIteratorRef found)
{
    LLVMSymbolIteratorRef symbol = LLVMGetRelocationSymbol(r);
    if (!LLVMObjectFileIsSymbolIteratorAtEnd(binary, symbol)) {
        LLVMMoveToContainingSection(found, symbol);
        const char *name = LLVMGetSymbolName(symbol);
        bool defined = !LLVMObjectFileIsSectionIteratorAtEnd(binary, found);
        const char *to = defined ? LLVMGetSectionName(found) : NULL;
        /* Linkers make the table of offsets. */
        if (!defined && name && name[0] && strcmp(name, "_GLOBAL_OFFSET_TABLE_") != 0)
            add_undefined(o, name);
        if (section_kind(from) == SECTION_CODE && (!defined || section_kind(to) == SECTION_CODE))
            add_call(o, owner_of(from), to ? owner_of(to) : NULL);
    }
    LLVMDisposeSymbolIterator(symbol);
}

/* ".rel.text.layer0", ".rela.text.layer0" -> ".text.layer0"; NULL for other sections, and for unwinding
 * tables, whose references are no calls. */
static const char *relocated_section(const char *name)
{
    if (!name || !starts(name, ".rel"))
        return NULL;
    name += starts(name, ".rela.") ? 5 : 4;
    if (name[0] != '.' || starts(name, ".ARM.ex") || starts(name, ".eh_frame"))
        return NULL;
    return section_kind(name) >= 0 ? name : NULL;
}

static void read_references(SizeObject *o, LLVMBinaryRef binary, LLVMSectionIteratorRef section)
{
    const char *from = relocated_section(LLVMGetSectionName(section));
    if (!from)
        return;
    LLVMSectionIteratorRef found = LLVMObjectFileCopySectionIterator(binary);
    LLVMRelocationIteratorRef r = LLVMGetRelocations(section);
    for (; !LLVMIsRelocationIteratorAtEnd(section, r); LLVMMoveToNextRelocation(r))
        read_reference(o, binary, r, from, found);
    LLVMDisposeRelocationIterator(r);
    LLVMDisposeSectionIterator(found);
}

/* ---- ELF ---- */

static void read_elf_sections(SizeObject *o, LLVMBinaryRef binary)
{
    LLVMSectionIteratorRef s = LLVMObjectFileCopySectionIterator(binary);
    for (; !LLVMObjectFileIsSectionIteratorAtEnd(binary, s); LLVMMoveToNextSection(s)) {
        const char *name = LLVMGetSectionName(s);
        int kind = section_kind(name);
        int64_t bytes = (int64_t)LLVMGetSectionSize(s);
        if (kind >= 0 && bytes) {
            add_part(o, name, owner_of(name), (SectionKind)kind, bytes);
            o->total[kind] += bytes;
        }
        read_references(o, binary, s);
    }
    LLVMDisposeSectionIterator(s);
}

/* The section without owner that holds this symbol, or NULL. */
static SizePart *nameless_part(SizeObject *o, const char *section)
{
    for (int i = 0; i < o->num_parts; i++)
        if (!o->parts[i].name[0] && !strcmp(o->parts[i].section, section))
            return &o->parts[i];
    return NULL;
}

/* Small arrays lie together in ".rodata.cst16": symbols tell them apart. */
static void read_elf_symbols(SizeObject *o, LLVMBinaryRef binary)
{
    LLVMSymbolIteratorRef y = LLVMObjectFileCopySymbolIterator(binary);
    LLVMSectionIteratorRef s = LLVMObjectFileCopySectionIterator(binary);
    for (; y && !LLVMObjectFileIsSymbolIteratorAtEnd(binary, y); LLVMMoveToNextSymbol(y)) {
        int64_t bytes = (int64_t)LLVMGetSymbolSize(y);
        const char *name = LLVMGetSymbolName(y);
        LLVMMoveToContainingSection(s, y);
        if (!bytes || !name || !name[0] || LLVMObjectFileIsSectionIteratorAtEnd(binary, s))
            continue;
        SizePart *p = nameless_part(o, LLVMGetSectionName(s));
        if (!p || p->bytes < bytes)
            continue;
        p->bytes -= bytes;
        add_part(o, p->section, name, p->kind, bytes);
    }
    LLVMDisposeSectionIterator(s);
    LLVMDisposeSymbolIterator(y);
}

/* ---- WebAssembly ---- */

static void add_wasm_part(SizeObject *o, const char *name, SectionKind kind, int64_t bytes)
{
    add_part(o, name, "", kind, bytes);
    o->total[kind] += bytes;
}

static void read_wasm(SizeObject *o, LLVMBinaryRef binary)
{
    LLVMSectionIteratorRef s = LLVMObjectFileCopySectionIterator(binary);
    for (; !LLVMObjectFileIsSectionIteratorAtEnd(binary, s); LLVMMoveToNextSection(s)) {
        const char *name = LLVMGetSectionName(s);
        size_t bytes = (size_t)LLVMGetSectionSize(s);
        if (!strcmp(name, "CODE"))
            add_wasm_part(o, name, SECTION_CODE, (int64_t)bytes);
        if (!strcmp(name, "DATA"))
            add_wasm_part(o, name, SECTION_CONST, (int64_t)bytes);
        if (!strcmp(name, "IMPORT")) {
            const char **names;
            int count = wasm_imports((const uint8_t *)LLVMGetSectionContents(s), bytes, &names);
            for (int i = 0; i < count; i++)
                add_undefined(o, names[i]);
        }
    }
    LLVMDisposeSectionIterator(s);
}

/* ---- both ---- */

static LLVMBinaryRef open_binary(const uint8_t *data, size_t len, const char *label,
                                 LLVMMemoryBufferRef *buffer)
{
    char *message = NULL;
    *buffer = LLVMCreateMemoryBufferWithMemoryRangeCopy((const char *)data, len, "object");
    LLVMBinaryRef binary = LLVMCreateBinary(*buffer, NULL, &message);
    if (!binary) {
        const char *copy = mem_strdup(message ? message : "unknown format");
        LLVMDisposeMessage(message);
        LLVMDisposeMemoryBuffer(*buffer);
        fail("%s: the compiler's object cannot be read: %s", label, copy);
    }
    return binary;
}

SizeObject *object_read(const uint8_t *data, size_t len, const char *label)
{
    LLVMMemoryBufferRef buffer;
    LLVMBinaryRef binary = open_binary(data, len, label, &buffer);
    LLVMBinaryType type = LLVMBinaryGetType(binary);
    SizeObject *o = NEW(SizeObject);
    o->is_wasm = type == LLVMBinaryTypeWasm;
    bool elf = type == LLVMBinaryTypeELF32L || type == LLVMBinaryTypeELF32B || type == LLVMBinaryTypeELF64L ||
               type == LLVMBinaryTypeELF64B;
    if (o->is_wasm) {
        read_wasm(o, binary);
    } else if (elf) {
        read_elf_sections(o, binary);
        read_elf_symbols(o, binary);
    }
    LLVMDisposeBinary(binary);
    LLVMDisposeMemoryBuffer(buffer);
    if (!elf && !o->is_wasm)
        fail("%s: only ELF and WebAssembly objects can be measured, and this target makes another kind",
             label);
    return o;
}
