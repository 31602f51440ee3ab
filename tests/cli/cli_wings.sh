# cli_wings.sh - tests/lint/wings.sh passes on the source as it is, and notices what is planted in a copy: includes and
# calls that lead to wings not allowed, and a circle of files.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need gcc nm

mkdir -p tree/tests
for part in compiler passes runtime tests/lint; do
    cp -r "$TERNC_SOURCE/$part" "tree/$part" || exit 1
done
objects=tree/build/CMakeFiles/ternc_core.dir
mkdir -p "$objects"
for part in compiler passes; do
    cp -r "$(dirname "$TERNC_BIN")/CMakeFiles/ternc_core.dir/$part" "$objects" || exit 1
done

# refuses TEXT: wings.sh ends with exit code 1 and says so
refuses() {
    if sh tree/tests/lint/wings.sh tree/build >out 2>err; then
        complain "nothing was noticed"
    fi
    says "$1"
}

# object PATH CODE: a source of the copy, compiled
object() {
    echo "$2" >"tree/$1"
    gcc -w -c "tree/$1" -o "$objects/$1.o" || exit 1
}

# includes FILE HEADER: it is planted, noticed with TEXT, and taken away again
includes() {
    cp "tree/$1" saved
    echo "#include \"$2\"" >>"tree/$1"
    refuses "$1 includes $2: $3"
    cp saved "tree/$1"
}

try sh tree/tests/lint/wings.sh tree/build
says "2 circles"

includes compiler/base/random.c codegen/codegen.h "base may not know codegen"
includes compiler/train/trainer.c passes/methods/methods.h "train may not know methods"
includes passes/dce.c fuse_draft.h "passes do not know each other"
includes runtime/reverse.h base/base.h "runtime/ includes nothing of the compiler"
includes compiler/codegen/plan.c reverse.h "runtime/ is for ops and layers"

object compiler/graph/planted.c "void emit_c(void); void planted(void) { emit_c(); }"
refuses "compiler/graph/planted.c calls emit_c of compiler/codegen/emit_file.c: graph may not know codegen"
rm tree/compiler/graph/planted.c

object compiler/base/planted_one.c "void two(void); void one(void) { two(); }"
object compiler/base/planted_two.c "void one(void); void two(void) { one(); }"
refuses "circle: compiler/base/planted_one.c compiler/base/planted_two.c"
rm tree/compiler/base/planted_one.c tree/compiler/base/planted_two.c

try sh tree/tests/lint/wings.sh tree/build
finish
