#!/bin/sh
# wings.sh BUILD: whether every include, and every symbol that an object of the build folder BUILD takes from another one,
# leads to a wing that wings.txt allows; and which files are circles, each of which reaches all others of it by calls.
# Exit code 1 on what is not allowed, or on a circle that is not listed below.
set -u
build=${1:?usage: wings.sh BUILD}
build=$(realpath "$build") || exit 1
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Reading bodies of nodes and inferring what is in them are recursions.
circles="compiler/onnx/onnx_attrs.c compiler/onnx/onnx_nodes.c
passes/infer.c passes/infer_control.c passes/infer_sequence.c"

# "PATH INCLUDED", the system's headers left out. runtime/check holds programs of their own.
find compiler passes runtime -path runtime/check -prune -o -name '*.[ch]' -print | LC_ALL=C sort |
    xargs grep -H '^#include "' |
    sed 's/^\([^:]*\):#include "\(.*\)".*/\1 \2/' >"$work/includes"

# "PATH T SYMBOL" for what is defined, "PATH U SYMBOL" for what is not.
objects=$build/CMakeFiles/ternc_core.dir
[ -d "$objects" ] || {
    echo "wings: no objects in $objects"
    exit 1
}
# Objects of sources that are gone may lie there still.
(cd "$objects" && find compiler passes -name '*.c.o' | LC_ALL=C sort) |
    while read -r object; do [ ! -f "${object%.o}" ] || echo "$object"; done >"$work/objects"
(cd "$objects" && xargs nm -A <"$work/objects") |
    sed -n 's/^\([^:]*\)\.o:.* \([A-Za-z]\) \([^ ]*\)$/\1 \2 \3/p' >"$work/symbols"

# Names of runtime/, which is an include folder.
runtime=$(cd runtime && find . -name '*.h' | sed 's|^./||')

awk -v circles="$circles" -v headers="$runtime" '
BEGIN { n = split(headers, header, "\n"); for (i = 1; i <= n; i++) runtime[header[i]] = 1 }
# The wing of a path.
function wing(path, part) {
    split(path, part, "/")
    if (path ~ /^passes\/methods\//) return "methods"
    if (part[1] == "passes" || part[1] == "runtime") return part[1]
    return path ~ /^compiler\/pipeline\./ ? "pipeline" : part[2]
}
# The file that an include of another file names.
function included(from, name, folder) {
    folder = from
    sub("[^/]*$", "", folder)
    if (name ~ /^passes\//) return name
    if (name in runtime) return "runtime/" name
    return folder ~ /^passes/ && name !~ /\// ? folder name : "compiler/" name
}
function family(path) {
    sub(".*/", "", path)
    sub("[_.].*", "", path)
    return path
}
function complain(text) {
    print text
    bad = 1
}
FILENAME ~ /wings.txt$/ {
    if (/^#/) next
    name = $1
    sub(":", "", name)
    known[name] = 1
    for (i = 2; i <= NF; i++) may[name, $i] = 1
    next
}
FILENAME ~ /includes$/ {
    includes++
    to = included($1, $2)
    a = wing($1)
    b = wing(to)
    if (a == "runtime" && b == "runtime") next
    if (a == "runtime") complain($1 " includes " $2 ": runtime/ includes nothing of the compiler")
    else if (!(a in known)) complain($1 ": no wing of wings.txt")
    else if (b == "runtime" && a != "ops" && a != "layers") complain($1 " includes " $2 ": runtime/ is for ops and layers")
    else if (b != "runtime" && a != b && !((a, b) in may)) complain($1 " includes " $2 ": " a " may not know " b)
    else if (a == "passes" && b == a && to != "passes/passes.h" && family($1) != family(to))
        complain($1 " includes " $2 ": passes do not know each other")
    next
}
$2 == "U" { wanted[++wants] = $1 " " $3; next }
$2 ~ /[TDRBC]/ { owner[$3] = $1; next }
END {
    for (i = 1; i <= wants; i++) {
        split(wanted[i], w, " ")
        from = w[1]
        to = owner[w[2]]
        if (to == "" || to == from || from == "compiler/graph/op_table.c") continue
        a = wing(from)
        b = wing(to)
        if (a != b && !((a, b) in may)) complain(from " calls " w[2] " of " to ": " a " may not know " b)
        if (!(from in number)) { number[from] = ++files; path[files] = from }
        if (!(to in number)) { number[to] = ++files; path[files] = to }
        reaches[number[from], number[to]] = 1
    }
    for (k = 1; k <= files; k++)
        for (i = 1; i <= files; i++)
            if ((i, k) in reaches)
                for (j = 1; j <= files; j++)
                    if ((k, j) in reaches) reaches[i, j] = 1
    for (i = 1; i <= files; i++) {
        if (done[i] || !((i, i) in reaches)) continue
        list = ""
        for (j = 1; j <= files; j++)
            if ((i, j) in reaches && (j, i) in reaches) {
                done[j] = 1
                list = list (list == "" ? "" : " ") path[j]
            }
        print "circle: " list
        found++
        ok = 0
        n = split(circles, allowed, "\n")
        for (k = 1; k <= n; k++) ok += same_set(allowed[k], list)
        if (!ok) complain("  not among those that wings.sh lists")
    }
    printf "wings: %d includes and %d symbols of other files lead where they may, %d circles\n", includes, wants, found
    exit bad
}
function same_set(a, b, x, y, i, in_a, n, m) {
    n = split(a, x, " ")
    m = split(b, y, " ")
    for (i = 1; i <= n; i++) in_a[x[i]] = 1
    for (i = 1; i <= m; i++) if (!(y[i] in in_a)) return 0
    return n == m
}' tests/lint/wings.txt "$work/includes" "$work/symbols"
