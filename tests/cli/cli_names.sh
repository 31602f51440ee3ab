# cli_names.sh - names that nobody wants: control characters, escape sequences, ends of comments, quotes, what is no
# UTF-8, in a model and its file's name. Every command shows them escaped, every output stays what it is, and an ONNX file
# that is written has them as they were.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need_onnx
/usr/bin/python3 "$TERNC_SOURCE/tests/models/make_nasty.py" || exit 1
mkdir cache
XDG_CACHE_HOME=$PWD/cache
export XDG_CACHE_HOME
model=$(cat model_path)

# clean WHAT FILE...: text that shows no more than text; tabs only where JSON is laid out with them
clean() {
    what=$1
    shift
    /usr/bin/python3 - "$@" <<'PY' || complain "$what shows what it should not"
import json, sys, xml.etree.ElementTree as tree
for path in sys.argv[1:]:
    data = open(path, "rb").read()
    text = data.decode()
    is_json = text.startswith("{")
    for number, line in enumerate(text.split("\n"), 1):
        if is_json:
            line = line.replace("\t", "")
        bad = [c for c in line if ord(c) < 32 or 127 <= ord(c) < 160 or 0x202a <= ord(c) <= 0x202e]
        if bad:
            sys.exit("%s:%d: %r" % (path, number, line[:200]))
        if line.startswith("ternc: error: forged"):
            sys.exit("%s:%d: a forged line" % (path, number))
    if path.endswith(".svg"):
        tree.fromstring(text)
    if is_json and path.endswith(".log"):
        [json.loads(line) for line in text.splitlines()]
    elif is_json:
        json.loads(text)
PY
}

# show CODE ternc WORD...
show() {
    want=$1
    shift
    "$@" >out 2>err </dev/null
    got=$?
    [ "$got" -eq "$want" ] || complain "$* : exit code $got, not $want"
    clean "$*" out err
}

show 0 ternc inspect "$model"
says '\x1b[31m'
says '\x0aternc: error: forged'
show 0 ternc inspect "$model" --json
show 0 ternc inspect "$model" --method twn --time
show 0 ternc ternarize "$model" -o ternary.onnx
show 0 ternc compile "$model" -o gen --explain
show 0 ternc compile "$model" -o gen --explain --optimize size --split 2
show 0 ternc compile "$model" -o dumped --dump read
show 0 ternc compile "$model" plain.onnx -o both
clean "generated C" gen/* both/*
show 0 ternc run "$model" -i x.npy
show 0 ternc eval "$model" --data train.npz
show 0 ternc eval "$model" --data train.npz --json
show 0 ternc inspect "$model" --sensitivity --data train.npz --limit 50
show 0 ternc inspect "$model" --sensitivity --data train.npz --limit 50 --json
show 0 ternc ternarize "$model" -o trained.onnx --data train.npz --epochs 2 --log t.log --plot t.svg
show 0 ternc ternarize "$model" -o trained.onnx --data train.npz --epochs 2 --keep "$(cat layer_name)"
clean "what training writes" t.log t.svg
if have clang; then
    show 0 ternc check "$model"
    show 0 ternc bench "$model" --lowerings auto --seconds 0.01 --layers
    show 0 ternc bench "$model" --lowerings auto --seconds 0.01 --json
    show 0 ternc size "$model" --explain --html size.html -o objects
    show 0 ternc size "$model" --json
    show 0 ternc size "$model" --csv
    /usr/bin/python3 -c 'import csv; rows = list(csv.reader(open("out")))
assert len(rows) > 4 and len({len(r) for r in rows}) == 1' || complain "the CSV has lines of several lengths"
    show 0 ternc size "$model" --save-baseline base.json
    show 0 ternc size "$model" --baseline base.json
    clean "what size writes" size.html base.json
    for cc in gcc clang; do
        have $cc || continue
        for file in gen/*.c both/*.c; do
            try $cc -std=c99 -Wall -Wextra -Wtrigraphs -Wcomment -Werror -c -o net.o "$file"
        done
    done
fi

# As they were: in what is written, and where the command line names them.
/usr/bin/python3 - <<'PY' || complain "names have changed in the file that was written"
import ast
for path in "ternary.onnx", "trained.onnx":
    data = open(path, "rb").read()
    for name in ast.literal_eval(open("names").read()):
        assert name in data, (path, name)
PY
show 0 ternc inspect ternary.onnx
show 0 ternc inspect "$model" --keep "$(cat layer_name)" --method twn
show 0 ternc run "$model" -i "$(cat input_name)=x.npy" -o y.npy

# What is wrong with it.
for bad in bad_*.onnx; do
    show 1 ternc inspect "$bad"
done
show 1 ternc inspect "$(printf 'no\nternc: error: forged\033[2J\377.onnx')"
show 1 ternc ternarize plain.onnx -o "$(printf 'no\nternc: error: forged/\033[2J.onnx')"
show 2 ternc inspect "$model" "--$(printf 'a\nternc: error: forged')"
show 2 ternc "$(printf 'a\nternc: error: forged')"
show 1 ternc run plain.onnx -i "$(printf 'a\nternc: error: forged.npy')"
show 1 ternc run plain.onnx -i header.npy
show 1 ternc eval plain.onnx --data array.npz
show 1 ternc check plain.onnx --cc "$(printf 'no\033such')"
show 1 env TMPDIR="$(printf 'no\nternc: error: forged')" "$TERNC_BIN" check plain.onnx
printf '{"compiler": "\\u001b[31m", "cflags": "\\nternc: error: forged", "optimize": "size", "results": []}' >old.json
have clang && show 1 ternc size plain.onnx --baseline old.json
mkdir place
printf '/* net.c - made by ternc from \033[31m.\nnet_1_run_in(' >place/plain_1.c
sed -i 's/net.c/plain_1.c/; s/net_1_run_in/plain_1_run_in/' place/plain_1.c
show 1 ternc compile plain.onnx -o place --split 2

# Folders and files with such names are written, too.
folder=$(printf 'a\nb\033\377\\x41')
show 0 ternc compile "$model" -o "$folder"
[ -s "$folder/$(basename "$(ls gen/*_split.h)" _split.h).c" ] || complain "nothing is in the folder"
show 0 ternc ternarize plain.onnx -o "$folder/o.onnx"
[ -s "$folder/o.onnx" ] || complain "no model is in the folder"
if have clang; then
    mkdir "$folder/tmp"
    TMPDIR=$folder/tmp
    export TMPDIR
    show 0 ternc check plain.onnx --cflags '-O1 -DTEXT="\x41"'
    [ -z "$(ls "$folder/tmp")" ] || complain "temporary files stay in a folder with an odd name"
fi
finish
