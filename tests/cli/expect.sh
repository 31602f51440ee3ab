# expect.sh - for the cli_*.sh scripts: run ternc and compare its exit code and its messages.
#   . "$TERNC_SOURCE/tests/cli/expect.sh"
#   need TOOL..., need_onnx           without these programs, or python3-onnx, the script is skipped
#   have TOOL...                      without these a part of the script is skipped, and so the script counts as skipped
#   have_shared PATH              the same without that file or folder of $TERNC_SHARED
#   expect CODE TEXT ternc WORD...    TEXT: all of stderr, or with "..." in front a part of it; "" for silence
#   try COMMAND...                    it succeeds
#   says TEXT                         a part of the last command's stdout
#   same FILE FILE, absent PATH, finish
# The last command's output lies in the files out and err.
: "${TERNC_BIN:?}" "${TERNC_SOURCE:?}"
[ -x "$TERNC_BIN" ] || { echo "$TERNC_BIN is not there"; exit 1; }
: >out
: >err
failures=0
skipped=

have() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null || {
            echo "skipped: no $tool"
            skipped=yes
            return 1
        }
    done
}

have_shared() {
    [ -e "${TERNC_SHARED:-}/$1" ] || {
        echo "skipped: no $1 in the folder of shared models and data (TERNC_SHARED)"
        skipped=yes
        return 1
    }
}

need() {
    have "$@" || exit 77
}

need_onnx() {
    /usr/bin/python3 -c 'import onnx, numpy' 2>/dev/null || {
        echo "skipped: python3-onnx is not installed"
        exit 77
    }
}

ternc() {
    "$TERNC_BIN" "$@"
}

complain() {
    failures=$((failures + 1))
    echo "FAILED: $1"
    sed 's/^/    stdout: /' out
    sed 's/^/    stderr: /' err
}

expect() {
    code=$1 text=$2
    shift 2
    "$@" >out 2>err </dev/null
    got=$?
    [ "$got" -eq "$code" ] || complain "$* : exit code $got, not $code"
    case $text in
    ...*) grep -qF -e "${text#...}" err || complain "$* : stderr lacks '${text#...}'" ;;
    *) [ "$(cat err)" = "$text" ] || complain "$* : stderr is not '$text'" ;;
    esac
    if [ "$code" -ne 0 ] && [ -s out ]; then
        complain "$* : writes results though it fails"
    fi
}

try() {
    "$@" >out 2>err || complain "$*"
}

says() {
    grep -qF -e "$1" out || complain "stdout lacks '$1'"
}

same() {
    cmp -s "$1" "$2" || complain "$1 and $2 differ"
}

absent() {
    if [ -e "$1" ]; then
        complain "$1 is there"
    fi
}

# Models and arrays for the scripts, in the folder m.
make_models() {
    need_onnx
    /usr/bin/python3 "$TERNC_SOURCE/tests/models/make_models.py" m || exit 1
}

finish() {
    [ "$failures" -eq 0 ] || exit 1
    [ -z "$skipped" ] || exit 77
    echo "all as expected"
    exit 0
}
