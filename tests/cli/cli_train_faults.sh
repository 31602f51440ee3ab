# cli_train_faults.sh: what can go wrong in hours of training: full disks, kills at any moment, losses that explode, data
# that does not fit, checkpoints that are damaged or of another run. Nothing good is ever lost.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need_onnx
/usr/bin/python3 "$TERNC_SOURCE/tests/models/make_classes.py" || exit 1
/usr/bin/python3 - <<'PY' || exit 1
import numpy as np
data = np.load("train.npz")
x, y = data["x"], data["y"]
np.savez("small.npz", x=x[:, :, :7], y=y)
np.savez("short.npz", x=x, y=y[1:])
np.savez("few.npz", x=x[:5], y=y[:5])
np.savez("other.npz", x=x[::-1], y=y[::-1])
x = x.copy()
x[1199, 0, 3, 3] = np.nan
np.savez("nan.npz", x=x, y=y)
np.savez("targets.npz", x=data["x"], y=np.zeros((1200, 5), np.float32))
PY

# train MODEL OUT WORD...: quietly, on one thread
train() {
    model=$1 out=$2
    shift 2
    "$TERNC_BIN" ternarize "$model" -o "$out" --data train.npz --batch 20 --threads 1 --quiet "$@" >out 2>err
}

train net.onnx float.onnx --method none --epochs 3 || complain "float training failed"
train float.onnx whole.onnx --epochs 12 || complain "training failed"
cp whole.onnx good.onnx

# The disk is full: for the checkpoint of the first epoch (130 kB), for the log, for the drawing.
limited() {
    (
        trap '' XFSZ
        ulimit -f 100
        train "$@"
    )
}
limited float.onnx good.onnx --epochs 12 && complain "a checkpoint was written to a full disk"
grep -q "good.onnx.ckpt: cannot write: File too large" err || complain "not the message of a full disk"
same good.onnx whole.onnx
[ "$(find . -name '*.tmp*' -o -name '*.ckpt')" = "" ] || complain "something is left: $(ls)"
for option in log plot; do
    train float.onnx good.onnx --epochs 12 --$option /dev/full && complain "--$option was written to a full disk"
    grep -q "/dev/full: cannot write: No space left on device" err || complain "not the message of a full disk"
    same good.onnx whole.onnx
    [ -s good.onnx.ckpt ] || complain "--$option: the checkpoint was lost"
    train float.onnx resumed.onnx --epochs 12 --resume --checkpoint good.onnx.ckpt || complain "cannot resume"
    same resumed.onnx whole.onnx
    rm good.onnx.ckpt resumed.onnx
done

# The disk is full at the very end: the checkpoint stays, and holds all that is needed.
train float.onnx /dev/full --epochs 12 --checkpoint end.ckpt && complain "a model was written to a full disk"
grep -q "/dev/full: cannot write: No space left on device" err || complain "not the message of a full disk"
train float.onnx resumed.onnx --epochs 12 --resume --checkpoint end.ckpt || complain "cannot resume at the end"
same resumed.onnx whole.onnx
expect 1 "...nowhere/o.onnx: cannot write: No such file or directory" \
    ternc ternarize float.onnx -o nowhere/o.onnx --data train.npz --checkpoint new.ckpt
absent new.ckpt

# Killed at any moment, again and again: every run goes on from the last epoch that was finished.
kills=0
for pause in 0.05 0.09 0.03 0.12 0.07 0.15 0.1 0.13 0.11 0.06; do
    "$TERNC_BIN" ternarize float.onnx -o killed.onnx --data train.npz --batch 20 --threads 1 --quiet --epochs 12 \
        --resume --log killed.log >out 2>err &
    child=$!
    sleep $pause
    [ ! -e killed.onnx ] && kill -9 $child 2>/dev/null && kills=$((kills + 1))
    wait $child
done
[ $kills -gt 0 ] || complain "nothing was killed"
train float.onnx killed.onnx --epochs 12 --resume --log killed.log || complain "cannot resume after kills"
same killed.onnx whole.onnx
[ "$(wc -l <killed.log)" -eq 12 ] || complain "the log has not 12 lines"

# Two threads: the same file each time, on this machine.
for i in 1 2; do
    "$TERNC_BIN" ternarize float.onnx -o two$i.onnx --data train.npz --epochs 3 --batch 20 --threads 2 --quiet >out 2>err ||
        complain "training with two threads failed"
done
same two1.onnx two2.onnx

# Checkpoints of something else.
train float.onnx part.onnx --epochs 12 --checkpoint part.ckpt || complain "training failed"
head -c 1000 part.ckpt >cut.ckpt
expect 1 "...cut.ckpt: not a checkpoint of this version of ternc; without --resume training starts at the beginning" \
    ternc ternarize float.onnx -o no.onnx --data train.npz --epochs 12 --batch 20 --resume --checkpoint cut.ckpt --threads 1
expect 1 "...part.ckpt: is of a run with other settings, model or data; give those again, or leave out --resume:" \
    ternc ternarize float.onnx -o no.onnx --data train.npz --epochs 13 --batch 20 --resume --checkpoint part.ckpt --threads 1
expect 1 "...part.ckpt: is of a run with other settings, model or data; give those again, or leave out --resume:" \
    ternc ternarize float.onnx -o no.onnx --data other.npz --epochs 12 --batch 20 --resume --checkpoint part.ckpt --threads 1

# A loss that explodes, and the way out.
expect 1 "...the loss on the training data is no longer a number in epoch" \
    ternc ternarize float.onnx -o no.onnx --data train.npz --method none --lr 1e30 --quiet
train float.onnx part.onnx --epochs 12 --lr 0.001 --resume --checkpoint part.ckpt || complain "cannot resume at another rate"
[ ! -s err ] || complain "--quiet, and a note all the same"

# Data that does not fit.
expect 1 "...bad.npz: label 3 of sample" ternc ternarize float.onnx -o no.onnx --data bad.npz
expect 1 "...small.npz" ternc ternarize float.onnx -o no.onnx --data small.npz
expect 1 "...short.npz" ternc ternarize float.onnx -o no.onnx --data short.npz
expect 1 "...few.npz: 0 of 5 samples cannot be held back" ternc ternarize float.onnx -o no.onnx --data few.npz
expect 1 "...targets.npz: targets of 5 numbers per sample" ternc ternarize float.onnx -o no.onnx --data targets.npz
expect 1 "...nan.npz: sample 1199 holds NaN or infinity" \
    ternc ternarize float.onnx -o no.onnx --data nan.npz
absent no.onnx

# Too little memory, in small steps from where the program can just start: a message, never a signal.
in_memory() {
    mib=$1
    shift
    (
        ulimit -c 0
        ulimit -v $((mib * 1024))
        exec "$TERNC_BIN" "$@" >out 2>err
    )
}
least=10
while [ $least -lt 400 ] && ! in_memory $least --version; do
    least=$((least + 10))
done
[ $least -lt 400 ] || echo "skipped: this build does not start in 400 MiB of addresses"
refused=0
for mib in $(seq "$least" 2 $((least + 30))); do
    [ $least -lt 400 ] || break
    for threads in 1 2; do
        in_memory "$mib" ternarize float.onnx -o memory.onnx --data train.npz --batch 20 --epochs 1 --threads $threads -q
        code=$?
        [ $code -ne 1 ] || refused=$((refused + 1))
        case $code in
        0 | 127) ;; # 127: the loader had too little
        1) grep -q '^ternc: error: .*\(memory\|--threads\)' err || complain "$mib MiB: no message says what is missing" ;;
        *) complain "$mib MiB, $threads threads: exit code $code" ;;
        esac
    done
done
[ $least -ge 400 ] || [ $refused -gt 3 ] || complain "only $refused runs had too little memory"
finish
