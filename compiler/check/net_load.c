/* net_load.c - generated C as a function of this process: built to a library in a temporary folder, and
 * loaded. For models with one float input and one float output. */
#include "base/host.h"
#include "check/check.h"
#include "codegen/codegen.h"

#include <dlfcn.h>

static void write_net(const Plan *plan, const char *folder)
{
    Text c = {0}, h = {0};
    emit_c(plan, &c, &h);
    file_write(mem_printf("%s/%s.c", folder, plan->id), c.data, c.len);
    file_write(mem_printf("%s/%s.h", folder, plan->id), h.data, h.len);
    text_free(&c);
    text_free(&h);
}

NetRun *net_load(const Plan *plan, const char *cc, const char *cflags, Text *err)
{
    const char *folder = temp_folder(), *library = mem_printf("%s/net.so", folder);
    const char *source = mem_printf("%s/%s.c", folder, plan->id);
    NetRun *run = NULL;
    write_net(plan, folder);
    if (cc_try(cc, cflags, (const char *[]){"-shared", "-fPIC", source, "-o", library, "-lm", NULL}, err)) {
        void *handle = dlopen(raw_text(library), RTLD_NOW | RTLD_LOCAL);
        if (handle)
            *(void **)&run = dlsym(handle, mem_printf("%s_run", plan->id));
        if (!run)
            text_printf(err, "%s", dlerror());
    }
    temp_remove(folder); /* what is loaded stays mapped */
    return run;
}
