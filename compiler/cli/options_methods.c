/* options_methods.c - what the table of methods says on the command line: the choices of --method, and words
 * in braces in the table of options, which stand for the methods' defaults. */
#include "cli/options_table.h"
#include "passes/methods/methods.h"

#include <string.h>

/* ---- choices ---- */

int list_methods(Method *list, bool untrained)
{
    int count = 0;
    for (int i = 0; i < NUM_METHODS; i++)
        if (!untrained || !method_def(method_at(i))->needs_data)
            list[count++] = method_at(i);
    return count;
}

static const char *join_names(const Method *list, int count, const char *between)
{
    Text t = {0};
    for (int i = 0; i < count; i++)
        text_printf(&t, "%s%s", i ? between : "", method_def(list[i])->name);
    return text_take(&t);
}

const char *method_words(bool untrained)
{
    Method list[NUM_METHODS];
    return join_names(list, list_methods(list, untrained), "|");
}

/* `none` is the first of all. */
const char *untrained_ternary_methods(void)
{
    Method list[NUM_METHODS];
    return join_names(list + 1, list_methods(list, true) - 1, " or ");
}

/* ---- defaults ---- */

/* "none: 10, twn: 6": what is said of each method, if it is not NULL. Those of which the same is said may
 * share it. */
static const char *by_method(const char *(*say)(const MethodDef *m), bool shared)
{
    const char *said[NUM_METHODS];
    Text t = {0};
    for (int i = 0; i < NUM_METHODS; i++)
        said[i] = say(method_def(method_at(i)));
    for (int i = 0; i < NUM_METHODS; i++) {
        if (!said[i])
            continue;
        text_printf(&t, "%s%s", t.len ? ", " : "", method_def(method_at(i))->name);
        for (int k = i + 1; shared && k < NUM_METHODS; k++)
            if (said[k] && !strcmp(said[k], said[i])) {
                text_printf(&t, ", %s", method_def(method_at(k))->name);
                said[k] = NULL;
            }
        text_printf(&t, ": %s", said[i]);
    }
    return text_take(&t);
}

static const char *say_epochs(const MethodDef *m)
{
    return int_text(m->epochs);
}

static const char *say_rate(const MethodDef *m)
{
    return mem_printf("%g", m->rate);
}

static const char *say_sparsity(const MethodDef *m)
{
    return m->sparsity > 0 ? mem_printf("%g", (double)m->sparsity) : NULL;
}

/* Where it is another than without a method. */
static const char *say_decay(const MethodDef *m)
{
    return m->decay != method_none.decay ? mem_printf("%g", m->decay) : NULL;
}

static const char *say_optimizer(const MethodDef *m)
{
    return m->adam ? "adam" : NULL;
}

static const Knob *find_knob(const char *option)
{
    for (int i = 0; i < NUM_METHODS; i++)
        for (const Knob *k = method_def(method_at(i))->knobs; k && k->option; k++)
            if (!strcmp(k->option, option))
                return k;
    bug("the help text has {%s}, which no method knows", option);
}

static const char *meaning_of(const char *word)
{
    static const struct {
        const char *word;
        const char *(*say)(const MethodDef *m);
        bool shared;
    } lists[] = {{"epochs", say_epochs, false},
                 {"rate", say_rate, true},
                 {"sparsity", say_sparsity, true},
                 {"optimizer", say_optimizer, true}};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (!strcmp(word, lists[i].word))
            return by_method(lists[i].say, lists[i].shared);
    if (!strcmp(word, "decay"))
        return mem_printf("%g; %s", method_none.decay, by_method(say_decay, true));
    if (!strcmp(word, "threshold"))
        return mem_printf("%g", (double)method_twn.threshold);
    if (!strcmp(word, "methods") || !strcmp(word, "untrained"))
        return method_words(word[0] == 'u');
    return mem_printf("%g", find_knob(word)->value);
}

const char *fill_braces(const char *text)
{
    const char *open = text ? strchr(text, '{') : NULL;
    if (!open)
        return text;
    size_t length = strcspn(open + 1, "}");
    const char *meaning = meaning_of(mem_printf("%.*s", (int)length, open + 1));
    return mem_printf("%.*s%s%s", (int)(open - text), text, meaning, open + 1 + length + 1);
}
