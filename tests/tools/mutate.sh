#!/bin/sh
# The long form of the mutation test: sh tests/tools/mutate.sh [COUNT] [BUILD]. COUNT mutants (default 1000) in two
# processes. BUILD: a build folder (default: that of run.sh, build/gcc in the checkout).
set -eu
count=${1:-1000}
build=${2:-$(dirname -- "$0")/../../build/gcc}
half=$((count / 2))
"$build/tests/mutate" "$half" 11 &
first=$!
"$build/tests/mutate" $((count - half)) 12 || { wait "$first" || true; exit 1; }
wait "$first"
