/* operators.c - `ternc inspect --operators`: what models may have, from the table of operators itself
 * (docs/operators.md is this text). */
#include "cli/cli.h"
#include "passes/passes.h"

#include <stdlib.h>
#include <string.h>

static void print_count(FILE *f, int low, int high)
{
    if (high < 0)
        fprintf(f, " | %d or more", low);
    else if (low == high)
        fprintf(f, " | %d", low);
    else
        fprintf(f, " | %d to %d", low, high);
}

static void print_attribute(FILE *f, const AttrSpec *a)
{
    fprintf(f, "`%s`", a->name);
    if (a->required)
        fprintf(f, " (required)");
    else if (a->type == ATTR_INT)
        fprintf(f, " = %s", int_text(a->i));
    else if (a->type == ATTR_FLOAT)
        fprintf(f, " = %s", number_text((double)a->f, DT_F32));
    else if (a->type == ATTR_STRING && a->s)
        fprintf(f, " = %s", a->s);
}

static void print_operator(FILE *f, const OpDef *d)
{
    fprintf(f, "| %s", d->name);
    print_count(f, d->min_in, d->max_in);
    print_count(f, d->min_out, d->max_out);
    fprintf(f, " | %s | ", d->grad ? "yes" : "");
    for (const AttrSpec *a = d->attrs; a->name; a++) {
        fprintf(f, "%s", a > d->attrs ? ", " : "");
        print_attribute(f, a);
    }
    fprintf(f, " |\n");
}

static void print_upgraded(FILE *f)
{
    const char *op, *becomes;
    fprintf(f, "\n## Operators that become others\n\n| operator | becomes |\n|---|---|\n");
    for (int i = 0; upgraded_operator(i, &op, &becomes); i++)
        fprintf(f, "| %s | %s |\n", op, becomes);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const OpDef *const *)a)->name, (*(const OpDef *const *)b)->name);
}

/* Where ONNX's texts, its own programs and onnxruntime do not agree. */
static void print_choices(FILE *f)
{
    fprintf(
        f,
        "\n## Where programs differ\n\n"
        "- Resize with `align_corners` puts corners on corners: positions are scaled by the length that the "
        "output\n  has, as the operator's text and onnxruntime have it. ONNX's reference takes scale * "
        "length "
        "before it is\n  rounded down, so that its last position is no corner; with whole lengths both are "
        "the "
        "same.\n"
        "- Range of floats has ceil((limit - start) / delta) elements, where the difference is rounded to "
        "the "
        "type and\n  the quotient is of doubles, as in onnxruntime. 0 to 0.6 by 0.2 in float are four: 0.6f "
        "is "
        "more than 3 * 0.2f.\n"
        "- Squares and powers inside of norms, LpPool and ReduceL2 are numbers of the tensor's type, as in "
        "ONNX's\n  function bodies: in float they overflow beyond 1.8e19 and vanish below 1e-23.\n");
}

void print_operators(FILE *f)
{
    const OpDef **list = NEW_ARRAY(const OpDef *, NUM_OPS);
    size_t count = 0;
    for (OpKind op = OP_UNSUPPORTED + 1; op < NUM_OPS; op++)
        if (!op_def(op)->internal)
            list[count++] = op_def(op);
    qsort(list, count, sizeof *list, by_name);
    fprintf(f, "# Operators\n\nWritten by `ternc inspect --operators`. Operators of ai.onnx in the form of "
               "opset 17, to which "
               "those of opset 1 to 18\nare brought; inputs, outputs and attributes are those of ONNX. "
               "`train`: weights in "
               "front of it can be trained. An attribute's\nvalue that ternc does not know, or another "
               "attribute, is refused "
               "by name.\n\n| operator | inputs | outputs | train | attributes |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        print_operator(f, list[i]);
    print_upgraded(f);
    fprintf(f,
            "\nConstant is a constant, whatever form its value has. Functions of the model are inlined.\n");
    print_choices(f);
}
