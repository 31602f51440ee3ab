/* layouts.c - the words of --layout and --model-layout. */
#include "graph/options.h"

#include <string.h>

const char *layout_name(ImageLayout l)
{
    static const char *const names[] = {"unsaid", "nchw", "nhwc"};
    return names[l];
}

const LayoutWord *layout_word(const LayoutWords *words, const char *input)
{
    const LayoutWord *of_all = NULL;
    for (int i = 0; i < words->count; i++) {
        const LayoutWord *w = &words->items[i];
        if (!w->input)
            of_all = w;
        else if (!strcmp(w->input, input))
            return w;
    }
    return of_all;
}

void check_layout_names(const Graph *g, const LayoutWords *words, const char *option)
{
    for (int i = 0; i < words->count; i++) {
        bool known = !words->items[i].input;
        for (int j = 0; j < g->num_inputs && !known; j++)
            known = !strcmp(words->items[i].input, g->inputs[j]->name);
        if (!known)
            fail("%s: %s: there is no input '%s'; 'ternc inspect' lists them", g->file, option,
                 words->items[i].input);
    }
}
