# cli_papers.sh - examples/papers on a few hundred images of ten easy classes, with narrow networks (--quick): every script
# and kind of data works from end to end, means are those of the runs, finished runs are kept, begun ones continue.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need seq
need_onnx
export TERNC="$TERNC_BIN"
/usr/bin/python3 "$TERNC_SOURCE/tests/models/make_images.py" . 300 100 || exit 1

# papers CODE SCRIPT NETWORK FOLDER [OPTION...]
papers() {
    code=$1 script=$2
    shift 2
    sh "$TERNC_SOURCE/examples/papers/$script.sh" "$@" --quick --threads 1 >out 2>err
    got=$?
    [ $got -eq "$code" ] || complain "$script.sh $*: exit code $got, not $code"
}

# row TITLE LEAST ZEROS: the table has it, with at least so many percent right and about so many zeros
row() {
    sed -n "s/^$1  *//p" out | awk -v least="$2" -v zeros="$3" '
        { found = $3 >= least && (zeros == "-" ? $1 == "-" : ($1 - zeros) ^ 2 <= 36) }
        END { exit !found }' || complain "no row '$1' with $2 % right and $3 % zeros"
}

papers 0 twn lenet5 mnist
row float 90 -
row "TWN, a scale for each layer" 90 36
row "TWN, a scale for each channel, last float" 90 38
[ "$(grep -c "^training" err)" -eq 6 ] || complain "not three trainings for either seed"
cmp -s papers/lenet5/quick/float-1.onnx papers/lenet5/quick/float-2.onnx && complain "both seeds give the same network"

# Nothing is trained twice. The mean and the deviation are those of the runs, here 90 and 96 %.
echo 90 >papers/lenet5/quick/layer-1.right
echo 96 >papers/lenet5/quick/layer-2.right
papers 0 twn lenet5 mnist
grep -q "^training" err && complain "a finished run was trained again"
grep -q "^TWN, a scale for each layer  .*  93.00  *4.24  *99.35$" out || complain "not the mean and the deviation of 90 and 96"
papers 1 twn lenet5 mnist --epochs 4
grep -q "trained, or begun, with other options" err || complain "results of other options were taken"

# What was interrupted goes on behind its last epoch: the first of three trainings has its first epoch already.
cat >killed <<'END'
#!/bin/sh
"$TERNC_BIN" "$@" &
while [ ! -s long/quick/float-1.log ] && kill -0 $! 2>/dev/null; do sleep 0.01; done
kill -9 $!
END
chmod +x killed
TERNC=$PWD/killed papers 1 twn lenet5 mnist --epochs 6 --seeds 1 --out long
[ -s long/quick/float-1.part.onnx.ckpt ] || complain "the run ended before it could be killed"
papers 0 twn lenet5 mnist --epochs 6 --seeds 1 --out long
[ "$(grep -c "^epoch 1/6" err)" -eq 2 ] || complain "the first training did not continue"
[ "$(grep -c "^epoch 6/6" err)" -eq 3 ] || complain "not three trainings"

papers 0 sca lenet5 mnist --seeds 1
for alpha in 0.1 0.3 0.5 0.7 0.9; do
    row "SCA, alpha $alpha" 90 38
done
papers 0 stp resnet20 cifar --seeds 1 --epochs 2
for sparsity in 0.90 0.95 0.98; do
    row "STP, wanted zeros $sparsity" 5 "${sparsity#0.}"
    [ "$(grep -c "^zeros $sparsity, .*: held back [1-9]" out)" -eq 2 ] || complain "$sparsity: no accuracy of both stages"
done

# A float model that is given; data as arrays.
/usr/bin/python3 "$TERNC_SOURCE/examples/papers/make.py" resnet18 given.onnx --narrow 16 --size 32 || exit 1
papers 0 twn resnet18 imagenet --seeds 1 --epochs 1 --float given.onnx
[ "$(grep -c "^training" err)" -eq 2 ] || complain "not two trainings from the given model"
row "TWN, a scale for each layer" 0 36

mv cifar/data_batch_4.bin .
papers 1 twn vgg7 cifar
grep -q "no cifar/data_batch_4.bin" err || complain "a missing file is not named"
papers 2 twn vgg8 cifar
papers 2 twn vgg7 cifar --seed
finish
