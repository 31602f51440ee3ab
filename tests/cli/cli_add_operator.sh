# cli_add_operator.sh - the steps of docs/internals.md, "How to add an operator", done on a copy of the source: Cube, an
# elementwise operator with a gradient, and Mirror, an operator of its own file. Both are invented, so their rows of the
# case table stay away from onnxruntime. The numbers below are those of the steps; every file that changes is named there.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need cmake ninja gcc clang

mkdir tree
for part in CMakeLists.txt compiler docs passes runtime schemas tests; do
    cp -r "$TERNC_SOURCE/$part" tree || exit 1
done

# put TEXT FILE LINE: the text before the first line of the file that begins so
put() {
    TEXT=$1 START=$3 awk '!done && index($0, ENVIRON["START"]) == 1 { print ENVIRON["TEXT"]; done = 1 }
        { print } END { exit !done }' "tree/$2" >new || complain "$2 has no line that begins with '$3'"
    cp new "tree/$2"
}

build() {
    ninja -j2 -C tree/build "$@"
}

# asserts TEST ROW: how many there are when the rows of that name run
asserts() {
    tree/build/tests/"$1" "$2" | awk '$1 == "asserts" { print $2 }'
}

# ran TEST ROW: the rows of that name pass, and there are some
ran() {
    try tree/build/tests/"$1" "$2"
    [ "$(asserts "$1" "$2")" -gt "$(asserts "$1" no_such_row)" ] || complain "$1 $2 runs no row"
}

try cmake -S tree -B tree/build -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS=-O0

# 1. The names. Without a definition the program does not link.
put 'OP(Cube)' compiler/graph/ops.def 'OP(LeakyRelu)'
put 'OP(Mirror)' compiler/graph/ops.def 'OP(ReverseSequence)'
if build ternc >out 2>err; then
    complain "an operator without a definition was linked"
fi
for name in Cube Mirror; do
    says "undefined reference to \`op_$name'"
done

# 2. The definitions: a row of the table of elementwise operators with its gradient; a file.
put '    X(Cube, grad_unary, ULPS(2, 0), 1, 1, elementwise, plain, FLOATS("cube"), NO_ATTRS) \' \
    compiler/ops/op_elementwise.c '    X(LeakyRelu,'
put '    case OP_Cube: EACH(3 * x * x);' compiler/ops/grad_elementwise.c '    case OP_Neg:'
cat >tree/compiler/ops/op_mirror.c <<'C'
/* op_mirror.c - Mirror: the elements along one axis in the opposite order. */
#include "ops/ops.h"

static AxisSplit mirror_split(const Graph *g, const Node *n)
{
    Type x = n->in[0]->type;
    return split_axis(x, norm_axis(g, n, attr_int(n, "axis"), x.rank));
}

static void infer_mirror(Graph *g, Node *n)
{
    mirror_split(g, n);
    n->out[0]->type = n->in[0]->type;
}

static void eval_mirror(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    AxisSplit s = mirror_split(g, n);
    DType d = n->in[0]->type.dtype;
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t k = 0; k < s.n; k++)
            for (int64_t i = 0; i < s.inner; i++)
                elem_set(out[0], d, (o * s.n + k) * s.inner + i,
                         elem_get(in[0], d, (o * s.n + s.n - 1 - k) * s.inner + i));
}

static void emit_mirror(Emitter *e, const Node *n)
{
    AxisSplit s = mirror_split(emit_plan(e)->g, n);
    emit_line(e, "%s(%s, %s, %lld, %lld, %lld);", emit_kernel(e, "mirror", n->in[0]->type.dtype),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), (long long)s.outer, (long long)s.n, (long long)s.inner);
}

const OpDef op_Mirror = {
    .name = "Mirror",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "axis", .type = ATTR_INT, .i = -1}},
    .infer = infer_mirror,
    .eval = eval_mirror,
    .emit = emit_mirror,
};
C

# 3. The kernels: a scalar one with its row in the table of scalar kernels; a header.
cat >>tree/runtime/elementwise_float.h <<'C'

/* y = x^3 */
TN_KERNEL T TN(cube)(T x)
{
    return x * x * x;
}
C
put '    R1(cube, T, T) \' compiler/ops/scalar.c '    R1(reciprocal, T, T)'
cat >tree/runtime/mirror.h <<'C'
/* mirror.h - the elements along one axis in the opposite order. Typed: see tn.h. */
#include "tn.h"

/* y[o][k][i] = x[o][n - 1 - k][i] */
TN_KERNEL void TN(mirror)(T *restrict y, const T *x, int32_t outer, int32_t n, int32_t inner)
{
    for (int32_t o = 0; o < outer; o++)
        for (int32_t k = 0; k < n; k++)
            for (int32_t i = 0; i < inner; i++)
                y[(o * n + k) * inner + i] = x[(o * n + n - 1 - k) * inner + i];
}
C

# 4. Rows of the case table.
put 'ROW(cube, "g (float[4] x) => (y) { y = Cube (x) }", .in = "-2 0 0.5 3", .out = "-8 0 0.125 27", .no_oracle = true)' \
    tests/cases/op_cases_math.h 'ROW(leaky_relu,'
put 'ROW(mirror, "g (float[2,3] x) => (y) { y = Mirror (x) }", .in = "1 2 3 4 5 6", .out = "3 2 1 6 5 4", .no_oracle = true)
ROW(mirror_axis, "g (int8[2,3] x) => (y) { y = Mirror <axis = 0> (x) }", .in = "1 2 3 4 5 6", .out = "4 5 6 1 2 3", .no_oracle = true)' \
    tests/cases/op_cases_move.h 'ROW(reverse_sequence_rows,'

# 5. Build; the rows run, in the evaluator and as C of gcc and clang, and the gradient against differences.
try build ternc unit_ops unit_grad
ran unit_ops cube
ran unit_ops mirror
ran unit_grad cube

# 6. The table of operators.
tree/build/ternc inspect --operators >tree/docs/operators.md || complain "inspect --operators"
for line in '| Cube | 1 | 1 | yes |  |' '| Mirror | 1 | 1 |  | `axis` = -1 |'; do
    grep -qxF "$line" tree/docs/operators.md || complain "docs/operators.md lacks '$line'"
done

# What the steps changed is what the text names.
: >out
sed -n '/^## How to add an operator/,/^## How to add a form/p' "$TERNC_SOURCE/docs/internals.md" >steps
(cd tree && find compiler docs passes runtime schemas tests CMakeLists.txt -type f) | while read -r file; do
    cmp -s "tree/$file" "$TERNC_SOURCE/$file" || echo "$file"
done >changed
[ "$(wc -l <changed)" -eq 10 ] || complain "not 10 files changed: $(tr '\n' ' ' <changed)"
while read -r file; do
    grep -qF "\`$file\`" steps || complain "the steps of docs/internals.md do not name $file"
done <changed
finish
