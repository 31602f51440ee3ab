/* net_load.c - generated C as a function of this process: built to a library in a temporary folder, and
 * loaded. For models with one float input and one float output. */
#include "base/host.h"
#include "check/check.h"
#include "codegen/codegen.h"

#include <dlfcn.h>

static bool build_net(const Plan *plan, const char *cc, const char *cflags, const char *folder,
                      const char *library, Text *err)
{
    static const char *const shared[] = {"-fPIC", NULL};
    const SourceFiles files = model_files(plan);
    const char **objects = cc_objects(cc, cflags, files_write(&files, folder), shared, err);
    return objects &&
           cc_link(cc, cflags, objects, (const char *[]){"-shared", "-o", library, "-lm", NULL}, err);
}

NetRun *net_load(const Plan *plan, const char *cc, const char *cflags, Text *err)
{
    const char *folder = temp_folder(), *library = mem_printf("%s/net.so", folder);
    NetRun *run = NULL;
    if (build_net(plan, cc, cflags, folder, library, err)) {
        void *handle = dlopen(raw_text(library), RTLD_NOW | RTLD_LOCAL);
        if (handle)
            *(void **)&run = dlsym(handle, mem_printf("%s_run", plan->id));
        if (!run)
            text_printf(err, "%s", dlerror());
    }
    temp_remove(folder); /* what is loaded stays mapped */
    return run;
}
