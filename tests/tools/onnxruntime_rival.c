/* onnxruntime_rival.c - onnxruntime as a rival for `ternc bench`: a library as runtime/check/rival.h says.
 * Build with -shared -fPIC, linked to libonnxruntime.so.1 of npm's onnxruntime-node (tests/tools/bench.sh
 * does).
 *
 * That package has no header. What is needed of onnxruntime's C interface is declared here: its table of
 * functions only ever grows at the end (the promise of ORT_API_VERSION), so places in it, counted in
 * onnxruntime_c_api.h, stay. */
#include "rival.h"

#include <stdio.h>
#include <string.h>

typedef void Object;
typedef void *(*Function)(void);

typedef struct ApiBase {
    const void *(*get_api)(uint32_t version);
    const char *(*get_version)(void);
} ApiBase;
const ApiBase *OrtGetApiBase(void);

enum { API_VERSION = 7, ALL_OPTIMIZATIONS = 99, MAX_TENSORS = 64 };
enum {
    GET_ERROR_MESSAGE = 2,
    CREATE_ENV = 3,
    CREATE_SESSION = 7,
    RUN = 9,
    CREATE_SESSION_OPTIONS = 10,
    SET_OPTIMIZATION_LEVEL = 23,
    SET_INTRA_OP_THREADS = 24,
    SET_INTER_OP_THREADS = 25,
    INPUT_COUNT = 30,
    OUTPUT_COUNT = 31,
    INPUT_TYPE = 33,
    OUTPUT_TYPE = 34,
    INPUT_NAME = 36,
    OUTPUT_NAME = 37,
    CREATE_TENSOR_WITH_DATA = 49,
    TYPE_TO_TENSOR = 55,
    ELEMENT_TYPE = 60,
    CREATE_CPU_MEMORY_INFO = 69,
    DEFAULT_ALLOCATOR = 78,
};

typedef struct Tensors {
    int count;
    const char *names[MAX_TENSORS];
    Object *values[MAX_TENSORS];
} Tensors;

static const Function *api;
static Object *session;
static Tensors inputs, outputs;

/* The function at a place of the table, called with arguments of the types given; its status is
 * onnxruntime's. */
#define CALL(place, types, ...) (((Object * (*)types) api[place])(__VA_ARGS__))

static const char *message(Object *status)
{
    return status ? ((const char *(*)(const Object *))api[GET_ERROR_MESSAGE])(status) : NULL;
}

#define TRY(call)                                                                                            \
    do {                                                                                                     \
        const char *why = message(call);                                                                     \
        if (why)                                                                                             \
            return why;                                                                                      \
    } while (0)

static const char *bind(Tensors *t, const RivalTensor *list, int count, int count_at, int name_at,
                        int type_at)
{
    Object *allocator = NULL, *memory = NULL;
    size_t has = 0;
    TRY(CALL(DEFAULT_ALLOCATOR, (Object **), &allocator));
    TRY(CALL(CREATE_CPU_MEMORY_INFO, (int, int, Object **), 0, 0, &memory));
    TRY(CALL(count_at, (Object *, size_t *), session, &has));
    if ((size_t)count != has || count > MAX_TENSORS)
        return "the session has another number of inputs or outputs";
    t->count = count;
    for (int i = 0; i < count; i++) {
        Object *type = NULL;
        const Object *tensor = NULL;
        int element = 0;
        char *name = NULL;
        TRY(CALL(name_at, (Object *, size_t, Object *, char **), session, (size_t)i, allocator, &name));
        TRY(CALL(type_at, (Object *, size_t, Object **), session, (size_t)i, &type));
        TRY(CALL(TYPE_TO_TENSOR, (Object *, const Object **), type, &tensor));
        TRY(CALL(ELEMENT_TYPE, (const Object *, int *), tensor, &element));
        TRY(CALL(CREATE_TENSOR_WITH_DATA, (Object *, void *, size_t, const int64_t *, size_t, int, Object **),
                 memory, list[i].data, list[i].bytes, list[i].dims, (size_t)list[i].rank, element,
                 &t->values[i]));
        t->names[i] = name;
    }
    return NULL;
}

const char *rival_open(const char *model, const RivalTensor *in, int num_in, const RivalTensor *out,
                       int num_out)
{
    Object *env = NULL, *options = NULL;
    api = OrtGetApiBase()->get_api(API_VERSION);
    if (!api)
        return "this onnxruntime does not have the interface's version 7";
    TRY(CALL(CREATE_ENV, (int, const char *, Object **), 3, "bench", &env));
    TRY(CALL(CREATE_SESSION_OPTIONS, (Object **), &options));
    TRY(CALL(SET_INTRA_OP_THREADS, (Object *, int), options, 1));
    TRY(CALL(SET_INTER_OP_THREADS, (Object *, int), options, 1));
    TRY(CALL(SET_OPTIMIZATION_LEVEL, (Object *, int), options, ALL_OPTIMIZATIONS));
    TRY(CALL(CREATE_SESSION, (Object *, const char *, Object *, Object **), env, model, options, &session));
    const char *why = bind(&inputs, in, num_in, INPUT_COUNT, INPUT_NAME, INPUT_TYPE);
    return why ? why : bind(&outputs, out, num_out, OUTPUT_COUNT, OUTPUT_NAME, OUTPUT_TYPE);
}

const char *rival_run(void)
{
    TRY(CALL(RUN,
             (Object *, Object *, const char *const *, Object *const *, size_t, const char *const *, size_t,
              Object **),
             session, NULL, inputs.names, inputs.values, (size_t)inputs.count, outputs.names,
             (size_t)outputs.count, outputs.values));
    return NULL;
}

const char *rival_name(void)
{
    static char name[64];
    snprintf(name, sizeof name, "onnxruntime %s", OrtGetApiBase()->get_version());
    return name;
}
