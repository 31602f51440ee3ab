/* files.c - which file belongs to which input or output of a model: "PATH" or "NAME=PATH" on the command
 * line; and the values of inputs from such files. */
#include "data/data.h"
#include "onnx/files.h"
#include "onnx/onnx.h"

#include <string.h>
#include <unistd.h>

static const char *list_edges(const Edges *e)
{
    Text t = {0};
    for (int i = 0; i < e->count; i++)
        text_printf(&t, "%s%s %s", i ? ", " : "", e->items[i]->name, type_text(e->items[i]->type));
    const char *copy = t.len ? mem_strdup(t.data) : "none";
    text_free(&t);
    return copy;
}

/* The index that "NAME=PATH" names, and *path; -1: the text names none. Names may hold '='. */
static int find_named(const Edges *e, const char *text, const char **path)
{
    for (int i = 0; i < e->count; i++) {
        size_t n = strlen(e->items[i]->name);
        if (!strncmp(text, e->items[i]->name, n) && text[n] == '=') {
            *path = text + n + 1;
            return i;
        }
    }
    return -1;
}

static int first_free(const char *const *paths, int count)
{
    for (int i = 0; i < count; i++)
        if (!paths[i])
            return i;
    return -1;
}

static void place_path(const Graph *g, const Edges *e, const char **paths, int at, const char *given,
                       const char *path)
{
    if (at < 0 || paths[at])
        fail("%s: --%s %s is one too many; the model has: %s", g->file, e->option, given, list_edges(e));
    paths[at] = path;
}

const char **assign_paths(const Graph *g, const Edges *e, Strings given)
{
    const char **paths = NEW_ARRAY(const char *, e->count), *path;
    for (int i = 0; i < given.count; i++) {
        int at = find_named(e, given.items[i], &path);
        if (at >= 0)
            place_path(g, e, paths, at, given.items[i], path);
    }
    for (int i = 0; i < given.count; i++) {
        path = given.items[i];
        if (find_named(e, path, &path) >= 0)
            continue;
        if (strchr(path, '=') && access(raw_text(path), F_OK))
            fail("%s: --%s %s: there is nothing of that name; the model has: %s", g->file, e->option, path,
                 list_edges(e));
        place_path(g, e, paths, first_free(paths, e->count), path, path);
    }
    return paths;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n >= k && !strcmp(s + n - k, end);
}

Tensor *read_tensor_file(const char *path)
{
    return ends_with(path, ".pb") ? onnx_read_tensor(path) : npy_read(path);
}

static const void *read_value(const Graph *g, const Tensor *edge, const char *path)
{
    const Tensor *t = read_tensor_file(path);
    if (!type_equal(t->type, edge->type))
        fail("%s: %s does not fit input '%s' of %s, which is %s", path, type_text(t->type), edge->name,
             g->file, type_text(edge->type));
    return t->data;
}

const void **read_inputs(const Graph *g, Strings given)
{
    Edges e = {"input", g->inputs, g->num_inputs};
    const char **paths = assign_paths(g, &e, given);
    int missing = first_free(paths, e.count);
    if (missing >= 0)
        fail("%s: input '%s' needs a value: --input [NAME=]FILE; the inputs are: %s", g->file,
             e.items[missing]->name, list_edges(&e));
    const void **data = NEW_ARRAY(const void *, e.count);
    for (int i = 0; i < e.count; i++)
        data[i] = read_value(g, e.items[i], paths[i]);
    return data;
}
