#!/bin/sh
# run.sh: everything that must hold before a change lands. Installs what is missing, builds with gcc and clang, checks
# format, lint, lengths and wings, runs the tests, runs the unit tests and random networks again under ASan and UBSan, and
# fuzzes for a minute.
# Every step runs whatever the others found; exit code 1 if any failed. Build folders and logs: build/ beside tests/.
#   TERNC_SHARED   folder with models/ and data/ that some tests use (default: shared beside the checkout)
#   FUZZ_SECONDS   how long to fuzz, all targets at the same time (default 60)
#   FUZZ_SEED      where its random numbers start (default 1, so that a change is judged by the inputs of the one before)
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
cd "$root" || exit 1
TERNC_SHARED=${TERNC_SHARED:-$root/../shared}
export TERNC_SHARED
failed=
started=$(date +%s)

sources() {
    find compiler passes runtime tests examples -name '*.[ch]' | LC_ALL=C sort
}

# step TITLE COMMAND...: the command's output goes to the terminal; its failure is remembered.
step() {
    title=$1
    shift
    begin=$(date +%s)
    echo "==== $title"
    if "$@"; then
        result=passed
    else
        result=FAILED
        failed="$failed
  $title"
    fi
    echo "---- $title: $result ($(($(date +%s) - begin)) s)"
}

check_format() {
    sources | xargs clang-format --dry-run -Werror
}

check_scripts() {
    find tests examples -name '*.sh' -exec shellcheck -s dash -S warning {} +
}

# build NAME COMPILER OPTIONS...
build() {
    name=$1
    cc=$2
    shift 2
    cmake -S . -B "build/$name" -G Ninja -DCMAKE_C_COMPILER="$cc" -DTERNC_SHARED="$TERNC_SHARED" "$@" \
        >"build/$name.log" 2>&1 && ninja -j2 -k0 -C "build/$name" >>"build/$name.log" 2>&1 && return 0
    grep -vE '^(\[[0-9]+/[0-9]+\] (Building|Linking|Generating)|ninja: Entering|-- |.*GLOB mismatch)' "build/$name.log" | head -n 60
    return 1
}

build_sanitized() {
    build sanitize clang -DTERNC_SANITIZE=ON -DTERNC_FUZZ=ON -DCMAKE_C_FLAGS=-fsanitize=fuzzer-no-link
}

# What the build compiles, but what it has generated. One file a process: clang-tidy 14 reports va_lists as uninitialised
# when it analyses several.
check_tidy() {
    sed -n 's/^ *"file": "\(.*\)".*/\1/p' build/clang/compile_commands.json | grep -v '/build/' |
        xargs -P2 -n1 clang-tidy -p build/clang --quiet 2>/dev/null
}

run_tests() {
    ctest --test-dir build/gcc -j2 --output-on-failure --no-tests=error
}

run_sanitized() {
    ctest --test-dir build/sanitize -j2 --output-on-failure --no-tests=error -R '^(unit_|random_nets$)'
}

fuzz() {
    set -- build/sanitize/tests/fuzz_*
    [ -x "$1" ] || {
        echo "no fuzz targets were built"
        return 1
    }
    fuzzers=
    for target in "$@"; do
        fuzz_one "$target" "${FUZZ_SECONDS:-60}" &
        fuzzers="$fuzzers $!"
    done
    found=0
    for fuzzer in $fuzzers; do
        wait "$fuzzer" || found=1
    done
    return "$found"
}

# fuzz_one TARGET SECONDS. Small cases of other people are the seeds; an input that crashes is left in build/ and named by
# libFuzzer. What a refused input leaves behind is no leak: the program ends there.
fuzz_one() {
    target=$1
    seconds=$2
    name=$(basename "$target")
    log=build/$name.log
    mkdir -p "build/corpus/$name"
    set -- "build/corpus/$name"
    for folder in tests/fuzz/seeds /usr/share/libonnx-testdata/data/simple; do
        [ ! -d "$folder" ] || set -- "$@" "$folder"
    done
    ASAN_OPTIONS=detect_leaks=0 "$target" -seed="${FUZZ_SEED:-1}" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 \
        -max_len=4096 -print_final_stats=1 -verbosity=0 -artifact_prefix="build/$name-" "$@" >"$log" 2>&1 || {
        tail -n 40 "$log"
        return 1
    }
    echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s, no fault"
}

echo "ternc tests in $root"
[ -d "$TERNC_SHARED" ] || echo "SKIPPED: tests that need shared models and data: no folder $TERNC_SHARED"
sh tests/setup.sh || exit 1
mkdir -p build
step "lengths" sh tests/lint/lengths.sh
step "format" check_format
step "shell scripts" check_scripts
step "build with gcc" build gcc gcc
step "wings" sh tests/lint/wings.sh build/gcc
step "build with clang" build clang clang
step "lint" check_tidy
step "build with sanitizers" build_sanitized
step "unit tests and random networks with sanitizers" run_sanitized
step "fuzzing" fuzz
step "tests" run_tests

echo "==== $(($(date +%s) - started)) s in all"
if [ -n "$failed" ]; then
    echo "FAILED:$failed"
    exit 1
fi
echo "all steps passed"
