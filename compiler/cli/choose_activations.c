/* choose_activations.c - --activations auto: int8 where that costs no more accuracy on --data than --max-loss
 * allows, else float. Both are measured as `ternc eval` does it, with the same weights. */
#include "cli/cli.h"
#include "cli/eval.h"

/* As `ternc eval` would be called: with any compiler that there is, for this machine. */
static EvalScore measure(const CommandLine *c, const CodeKind *codes)
{
    CommandLine *own = NEW(CommandLine);
    *own = *c;
    own->build = (BuildOptions){.no_cache = c->build.no_cache};
    own->opt.codes = codes;
    return eval_model(own);
}

const CommandLine *choose_activations(const CommandLine *c)
{
    if (!c->automatic)
        return c;
    const EvalScore real = measure(c, NULL), coded = measure(c, c->opt.codes);
    double cost = 100 * (real.accuracy - coded.accuracy);
    bool within = cost <= c->max_loss + 1e-9; /* hits are whole samples */
    CommandLine *copy = NEW(CommandLine);
    *copy = *c;
    if (!within)
        copy->opt.codes = NULL;
    printf("activations: float %.2f %%, %s %.2f %% on %s samples, which costs %.2f points of %.4g: %s\n",
           100 * real.accuracy, c->opt.codes->name, 100 * coded.accuracy, count_text(real.count), cost,
           c->max_loss, within ? c->opt.codes->name : "float");
    return copy;
}
