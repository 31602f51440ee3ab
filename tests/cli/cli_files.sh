# cli_files.sh - files around a run: standard files that are closed, pipes and devices in place of files, files that are
# cut off meanwhile, modes, leftovers of runs that were killed, the cache, output that is read along.
. "$TERNC_SOURCE/tests/cli/expect.sh"
make_models
mkdir tmp
export TMPDIR="$PWD/tmp" XDG_CACHE_HOME="$PWD/cache"

# ---- standard files that are closed: what is done stays the same ----

# in_all CODE COMMAND: with each of the eight combinations
in_all() {
    for closed in '' '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
        rm -rf made
        : >out
        : >err
        eval "{ $2; } >out 2>err $closed"
        got=$?
        [ "$got" -eq "$1" ] || complain "$2 $closed : exit code $got, not $1"
    done
}
in_all 0 'ternc inspect m/tiny.onnx'
in_all 0 'ternc compile m/tiny.onnx -o made'
cp -r made whole
in_all 0 'ternc compile m/tiny.onnx -o made && cmp made/tiny.c whole/tiny.c && cmp made/tiny.h whole/tiny.h'
in_all 0 'ternc ternarize m/tiny.onnx -o made && ternc inspect made'
in_all 0 'ternc run m/tiny.onnx -i m/x.npy'
in_all 0 'ternc eval m/logits.onnx --data m/scores.npz'
in_all 1 'ternc eval m/tiny.onnx --data m/missing.npz'
have clang && in_all 0 'ternc check m/tiny.onnx --cc clang'
have clang && in_all 0 'ternc size m/tiny.onnx --no-cache'
have clang && in_all 0 'ternc bench m/tiny.onnx --cc clang --lowerings auto --seconds 0.01'

# Programs that ternc starts have the three, and none of ternc's own.
cat >shows <<'END'
#!/bin/sh
ls /proc/$$/fd >"$SHOWN"
exit 1
END
chmod +x shows
export SHOWN="$PWD/fds"
if [ -d /proc/self/fd ]; then
    ./shows
    mv fds before
    ternc check m/tiny.onnx --cc ./shows >out 2>err <&-
    same fds before
fi

# ---- no regular files: refused, and not waited for ----

mkfifo pipe
mkdir dir
ln -s /dev/zero zeros
/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'

# never_read PATH KIND
never_read() {
    soon() {
        timeout 60 "$TERNC_BIN" "$@"
    }
    message="...cannot read: $2"
    expect 1 "ternc: error: $1: cannot read: $2" soon inspect "$1"
    expect 1 "$message" soon run m/tiny.onnx -i "$1"
    expect 1 "$message" soon inspect m/tiny.onnx --const "x=$1"
    expect 1 "$message" soon eval m/tiny.onnx --data "$1"
    expect 1 "$message" soon eval m/tiny.onnx --data "m/x.npy,$1"
    expect 1 "$message" soon eval m/tiny.onnx --data "$1.bin"
    expect 1 "$message" soon size m/tiny.onnx --baseline "$1"
    expect 1 "$message" soon check m/tiny.onnx --input "$1"
    expect 1 "$message" soon ternarize m/logits.onnx -o no.onnx --data m/scores.npz --valid "$1"
    expect 1 "$message" soon bench m/tiny.onnx --rival "./$1"
    for resume in --quiet --resume; do
        expect 1 "...$1: cannot hold a checkpoint: it is not a regular file" soon ternarize m/logits.onnx -o no.onnx \
            --data m/scores.npz --valid m/scores.npz --checkpoint "$1" $resume
    done
}
for name in pipe dir zeros socket; do
    ln -s $name $name.bin
done
never_read pipe "it is not a regular file"
never_read dir "it is a directory"
never_read zeros "it is not a regular file"
never_read socket "it is not a regular file"
expect 0 "" sh -c '"$TERNC_BIN" inspect /dev/stdin <m/tiny.onnx'

# ---- a file that is cut off while it is used ----

cat >cuts <<'END'
#!/bin/sh
: >weights
exec clang "$@"
END
chmod +x cuts
/usr/bin/python3 - <<'PY' || exit 1
import numpy as np, onnx
from onnx import TensorProto, helper as h
n = 400
np.arange(n * n, dtype=np.float32).tofile("weights")
w = TensorProto(name="w", data_type=1, dims=[n, n], data_location=TensorProto.EXTERNAL)
w.external_data.add(key="location", value="weights")
g = h.make_graph([h.make_node("Add", ["x", "w"], ["y"])], "g", [h.make_tensor_value_info("x", 1, [n, n])],
                 [h.make_tensor_value_info("y", 1, [n, n])], [w])
open("outside.onnx", "wb").write(h.make_model(g, opset_imports=[h.make_opsetid("", 17)]).SerializeToString())
PY
if have clang; then
    expect 1 "ternc: error: $PWD/weights: cannot read: the file was cut off meanwhile" \
        ternc check outside.onnx --cc ./cuts
    [ -z "$(find tmp -mindepth 1)" ] || complain "a run that lost its file leaves $(find tmp -mindepth 1)"
fi

# ---- modes, links, leftovers ----

(
    umask 026
    ternc compile m/tiny.onnx -o modes >out 2>err
)
[ "$(stat -c %a modes/tiny.c)" = 640 ] || complain "a new file has the mode $(stat -c %a modes/tiny.c)"
chmod 604 modes/tiny.c
try ternc compile m/tiny.onnx -o modes
[ "$(stat -c %a modes/tiny.c)" = 604 ] || complain "a file that was replaced has the mode $(stat -c %a modes/tiny.c)"
ln -s to.onnx link.onnx
try ternc ternarize m/tiny.onnx -o link.onnx
[ -L link.onnx ] && [ -f to.onnx ] || complain "a link to nothing was replaced"

# A run that is killed leaves what the next one takes away; what is not ternc's stays.
cat >waits <<'END'
#!/bin/sh
: >running
exec sleep 1000
END
chmod +x waits
"$TERNC_BIN" check m/tiny.onnx --cc ./waits >out 2>err </dev/null &
child=$!
for _ in $(seq 600); do
    [ ! -e running ] || break
    sleep 0.1
done
mkdir tmp/ternc-sister
kill -9 $child
wait $child 2>/dev/null
[ "$(ls tmp | wc -l)" -eq 2 ] || complain "a run that was killed left $(ls tmp)"
: >modes/tiny.c.ternc-abcdef.tmp
: >modes/tiny.c.ternc-mine
try ternc compile m/tiny.onnx -o modes
absent modes/tiny.c.ternc-abcdef.tmp
[ -e modes/tiny.c.ternc-mine ] || complain "a file of somebody else was removed"
expect 1 "..." ternc check m/tiny.onnx --cc false
[ "$(ls tmp)" = ternc-sister ] || complain "after the next run there is $(ls tmp)"

# ---- the cache: for its owner alone, and what is no file of his is no entry ----

if have clang; then
    try ternc size m/tiny.onnx --json
    cp out first.json
    [ "$(stat -c %a cache) $(stat -c %a cache/ternc)" = "700 700" ] || complain "the cache has other modes than 700"
    chmod 777 cache/ternc
    for kind in pipe dir link; do
        for entry in cache/ternc/*; do
            rm -rf "$entry"
            case $kind in
            pipe) mkfifo "$entry" ;;
            dir) mkdir "$entry" ;;
            link) ln -s "$PWD/m/tiny.onnx" "$entry" ;;
            esac
        done
        expect 0 "" timeout 60 "$TERNC_BIN" size m/tiny.onnx --json
        same out first.json
    done
    [ "$(stat -c %a cache/ternc)" = 700 ] || complain "the cache can be written by others"
fi

# ---- output that is read along ----

rm -f running
"$TERNC_BIN" check m/tiny.onnx --time --cc ./waits >out 2>err </dev/null &
child=$!
for _ in $(seq 600); do
    [ ! -e running ] || break
    sleep 0.1
done
[ -s out ] || [ -s err ] || complain "nothing is printed while check runs"
grep -q 'infer' out err || complain "the times of the passes are not printed while check runs"
kill $child
wait $child 2>/dev/null
finish
