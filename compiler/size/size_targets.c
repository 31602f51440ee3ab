/* size_targets.c - the machines that `ternc size` is to measure: of the table, and those that its user
 * describes. */
#include "size/size.h"

#include <string.h>
#include <strings.h>

void size_list_targets(FILE *f)
{
    Table *t = table_new("target\tclang flags\tpredicted as\tmachine\taliases");
    for (const Target *m = target_table; m < target_table + num_targets; m++)
        table_row(t, "%s\t%s\t%s\t%s\t%s", m->name, m->flags[0] ? m->flags : "(none)", m->core->name,
                  m->about, m->aliases);
    table_print(t, f);
}

static const Target *machine_of_table(const char *option, const char *name)
{
    const Target *m = find_target(name);
    if (!m)
        usage("%s: there is no target '%s'%s; 'ternc size --list-targets' lists all, --custom-target "
              "NAME=FLAGS makes "
              "one of flags for clang",
              option, name, near_targets(name));
    return m;
}

/* NAME[:TARGET]=FLAGS: like TARGET but for its flags. */
static Target *parse_custom(const char *text)
{
    const char *equals = strchr(text, '=');
    const int name = (int)strcspn(text, ":=");
    if (!equals || !name || !equals[1])
        usage("--custom-target NAME[:TARGET]=FLAGS: '%s' is not of that form", text);
    Target *m = NEW(Target);
    m->core = find_core(NULL);
    if (text[name] == ':')
        *m = *machine_of_table("--custom-target",
                               mem_printf("%.*s", (int)(equals - text) - name - 1, text + name + 1));
    m->name = mem_printf("%.*s", name, text);
    m->aliases = "";
    m->flags = equals + 1;
    m->about = "given by --custom-target";
    m->copies_constants |= strstr(m->flags, "--target=avr") != NULL;
    return m;
}

static const Target *find_size_target(const char *name, const Target *const *custom, int num_custom)
{
    for (int i = 0; i < num_custom; i++)
        if (!strcmp(custom[i]->name, name))
            return custom[i];
    return machine_of_table("--targets", name);
}

/* Whatever the case: folders have these names, and there are file systems to which it is all one. */
static void check_repeats(const Target *const *list, int count)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < i; k++)
            if (!strcasecmp(list[i]->name, list[k]->name))
                usage("--targets: '%s' is named twice", list[i]->name);
}

/* Custom targets count as named, whether --targets names them or not. */
const Target *const *size_targets(Strings names, Strings custom, int *count)
{
    const Target **made = NEW_ARRAY(const Target *, custom.count + 1);
    const Target **list = NEW_ARRAY(const Target *, names.count + custom.count + 1);
    int n = 0;
    for (int i = 0; i < custom.count; i++)
        made[i] = parse_custom(custom.items[i]);
    check_repeats(made, custom.count);
    for (int i = 0; i < names.count; i++)
        list[n++] = find_size_target(names.items[i], made, custom.count);
    for (int i = 0; i < custom.count; i++) {
        bool named = false;
        for (int k = 0; k < names.count; k++)
            named |= list[k] == made[i];
        if (!named)
            list[n++] = made[i];
    }
    check_repeats(list, n);
    if (!n)
        list[n++] = find_target("host");
    *count = n;
    return list;
}
