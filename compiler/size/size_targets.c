/* size_targets.c - the machines that `ternc size` is to measure: of the table, and those that its user describes. */
#include "size/size.h"

#include <string.h>

const Target *size_prices(const Machine *m)
{
    return m->size_prices ? m->size_prices : m->prices;
}

void size_list_targets(FILE *f)
{
    Table *t = table_new("target\tclang flags\tpredicted as\tmachine\taliases");
    for (const Machine *m = machine_table; m < machine_table + num_machines; m++)
        table_row(t, "%s\t%s\t%s\t%s\t%s", m->name, m->flags[0] ? m->flags : "(none)", size_prices(m)->name, m->about,
                  m->aliases);
    table_print(t, f);
}

static Machine *parse_custom(const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1])
        usage("--custom-target NAME=FLAGS: '%s' is not of that form", text);
    Machine *m = NEW(Machine);
    *m = (Machine){.name = mem_printf("%.*s", (int)(equals - text), text),
                   .aliases = "",
                   .prices = find_target(NULL),
                   .flags = equals + 1,
                   .about = "given by --custom-target",
                   .copies_constants = strstr(equals, "--target=avr") != NULL};
    return m;
}

static const Machine *find_size_target(const char *name, const Machine *const *custom, int num_custom)
{
    for (int i = 0; i < num_custom; i++)
        if (!strcmp(custom[i]->name, name))
            return custom[i];
    const Machine *m = find_machine(name);
    if (!m)
        usage("--targets: there is no target '%s'%s; 'ternc size --list-targets' lists all, --custom-target %s=FLAGS "
              "makes one of flags for clang",
              name, near_machines(name), name);
    return m;
}

static void check_repeats(const Machine *const *list, int count)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < i; k++)
            if (!strcmp(list[i]->name, list[k]->name))
                usage("--targets: '%s' is named twice", list[i]->name);
}

/* Custom targets count as named, whether --targets names them or not. */
const Machine *const *size_targets(Strings names, Strings custom, int *count)
{
    const Machine **made = NEW_ARRAY(const Machine *, custom.count + 1);
    const Machine **list = NEW_ARRAY(const Machine *, names.count + custom.count + 1);
    int n = 0;
    for (int i = 0; i < custom.count; i++)
        made[i] = parse_custom(custom.items[i]);
    check_repeats(made, custom.count);
    for (int i = 0; i < names.count; i++)
        list[n++] = find_size_target(names.items[i], made, custom.count);
    check_repeats(list, n);
    for (int i = 0; i < custom.count; i++) {
        bool named = false;
        for (int k = 0; k < names.count; k++)
            named |= list[k] == made[i];
        if (!named)
            list[n++] = made[i];
    }
    if (!n)
        list[n++] = find_machine("host");
    *count = n;
    return list;
}
