# papers.sh - for twn.sh, sca.sh and stp.sh: a network of the papers trained in float with several seeds, made ternary from
# there, and a table of the mean and the deviation over the seeds beside what the paper says.
#   SCRIPT NETWORK FOLDER [OPTION...]
#     lenet5     FOLDER has MNIST's four IDX files, gzipped or not
#     vgg7, resnet20
#                FOLDER has CIFAR-10's binary version: data_batch_1.bin to data_batch_5.bin, test_batch.bin
#     resnet18   FOLDER has ImageNet as train_images.npy, train_labels.npy, test_images.npy, test_labels.npy: images
#                uint8 [count, 3, 224, 224], labels from 0
#   --seeds N    1 to N (default: 3): initial weights, order of samples, augmentation
#   --float FILE.onnx
#                a float model that is trained already, in place of one from scratch for each seed
#   --epochs N   of every training, in place of the recipe's
#   --threads N  of training (default: ternc's); other numbers of threads give slightly other figures
#   --out FOLDER for all results (default: papers/NETWORK); what is finished there is not trained again, what was
#                interrupted goes on from its last epoch
#   --quick      narrow networks, 300 images, 3 epochs, 2 seeds: to see that everything works; results in OUT/quick
# Environment: TERNC, the program (default: ternc). Needs python3-onnx.
# How long: an epoch on one core of 2025 with AVX-512 is some ten seconds with LeNet-5, a minute and a half with ResNet-20, a
# quarter of an hour with VGG-7, a day and a half with ResNet-18, and there are 25, 160, 160 and 60 in a training with TWN,
# of which twn.sh does three for each seed.
# The best epoch is chosen on training images that are held back, nothing on the test images.
# Who includes this calls setup "$@" first, and uses recipe, fine (options of training), quick and out.
# shellcheck shell=sh
: "${TERNC:=ternc}"
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
script=$(basename -- "$0")

# stop CODE TEXT
stop() {
    echo "$script: $2" >&2
    exit "$1"
}

read_options() {
    [ $# -ge 2 ] || stop 2 "say $script NETWORK FOLDER; networks: lenet5, vgg7, resnet20, resnet18"
    network=$1 data=$2
    seeds='' given='' epochs='' threads='' quick='' out=papers/$1
    shift 2
    while [ $# -gt 0 ]; do
        [ "$1" = --quick ] || [ $# -gt 1 ] || stop 2 "$1: there is no such option, or it lacks its value"
        case $1 in
        --seeds) seeds=$2 ;;
        --float) given=$2 ;;
        --epochs) epochs=$2 ;;
        --threads) threads="--threads $2" ;;
        --out) out=$2 ;;
        --quick) quick=yes ;;
        *) stop 2 "$1: there is no such option" ;;
        esac
        [ "$1" = --quick ] || shift
        shift
    done
}

# The recipes: TWN's of its paper, ResNet-20's the same as VGG-7's. fine: epochs of SCA and STP, from the float model on.
choose_recipe() {
    case $network in
    lenet5) recipe='25 --batch 50 --lr 0.01' fine=18 held=5000 augment='' ;;
    vgg7 | resnet20) recipe='160 --batch 100 --lr 0.1' fine=60 held=5000 augment='--augment flip,crop=4' ;;
    resnet18) recipe='60 --batch 64 --lr 0.1' fine=20 held=10000 augment='--augment flip,crop=16' ;;
    *) stop 2 "there is no network '$network'; there are lenet5, vgg7, resnet20, resnet18" ;;
    esac
    size='' limit=''
    if [ "$quick" ]; then
        size='--narrow 8' limit='--limit 300' held=60 out=$out/quick
        [ "$network" != resnet18 ] || size='--narrow 8 --size 32'
        : "${seeds:=2}" "${epochs:=3}"
        recipe="$epochs --batch 10 --lr 0.02" fine="$epochs --batch 10"
    fi
    : "${seeds:=3}"
    recipe="--epochs ${epochs:-${recipe%% *}} ${recipe#* } --schedule step"
    [ -z "$epochs" ] || fine="$epochs ${fine#"${fine%% *}"}"
    fine="--epochs $fine"
}

# files NAME...: found is a list of these files of the data's folder, each as it is or gzipped.
files() {
    found=''
    for part in "$@"; do
        path=$data/$part
        [ -e "$path" ] || path=$data/$part.gz
        [ -e "$path" ] || stop 1 "there is no $data/$part; the head of papers.sh says what the folder must hold"
        found=$found${found:+,}$path
    done
}

find_data() {
    case $network in
    lenet5)
        files t10k-images-idx3-ubyte t10k-labels-idx1-ubyte
        testing=$found
        files train-images-idx3-ubyte train-labels-idx1-ubyte
        pixels='--scale 1/255 --mean 0.1307 --std 0.3081'
        ;;
    vgg7 | resnet20)
        files test_batch.bin
        testing=$found
        files data_batch_1.bin data_batch_2.bin data_batch_3.bin data_batch_4.bin data_batch_5.bin
        pixels='--scale 1/255 --mean 0.4914,0.4822,0.4465 --std 0.2470,0.2435,0.2616'
        ;;
    resnet18)
        files test_images.npy test_labels.npy
        testing=$found
        files train_images.npy train_labels.npy
        pixels='--scale 1/255 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225'
        ;;
    esac
    training=$found
}

# setup NETWORK FOLDER [OPTION...]
setup() {
    set -eu
    read_options "$@"
    choose_recipe
    find_data
    command -v "$TERNC" >/dev/null || stop 1 "there is no $TERNC: set TERNC to where ternc is"
    mkdir -p "$out"
    printf '%s, %s seeds, results in %s\n' "$network" "$seeds" "$out"
    printf '%-42s %7s %6s %8s %10s %7s\n' 'percent right of the test images' zeros bits mean deviation paper
}

# Results of other options are never mixed with these, nor removed.
check_settings() {
    printf '%s\n' "$2" >"$1.asked"
    if [ -e "$1.settings" ] && ! cmp -s "$1.asked" "$1.settings"; then
        rm "$1.asked"
        stop 1 "$1 was trained, or begun, with other options, data or weights: give another --out, or remove $1.*"
    fi
    mv "$1.asked" "$1.settings"
}

# train NAME SEED MODEL OPTION...: $out/NAME-SEED.onnx, its report .txt, its log .log
train() {
    result=$out/$1-$2
    seed=$2
    model=$3
    shift 3
    check_settings "$result" "$(cksum <"$model") $training $limit $held --seed $seed $threads $*"
    [ ! -e "$result.onnx" ] || return 0
    resume=''
    [ ! -e "$result.part.onnx.ckpt" ] || resume=--resume
    echo "training $result.onnx" >&2
    # Options are lists: split on purpose.
    # shellcheck disable=SC2086
    "$TERNC" ternarize "$model" -o "$result.part.onnx" --data "$training" $pixels $limit --valid "$held" $augment $threads \
        --seed "$seed" --log "$result.log" $resume "$@" >"$result.txt"
    mv "$result.part.onnx" "$result.onnx"
}

# judge RESULT MODEL: percent right of the test images, in RESULT.right
judge() {
    [ ! -e "$1.right" ] || return 0
    # shellcheck disable=SC2086
    "$TERNC" eval "$2" --data "$testing" $pixels $limit --json --quiet >"$1.json"
    sed -n 's/.*"accuracy":[^0-9]*\([0-9.e-]*\).*/\1/p' "$1.json" | awk '{ printf "%.4f\n", 100 * $1 }' >"$1.part"
    rm "$1.json"
    mv "$1.part" "$1.right"
}

# prepare SEED: float is the model that ternary training starts from
prepare() {
    float=$given
    if [ "$given" ]; then
        check_settings "$out/float-$1" "$(cksum <"$given") $testing $limit"
        return 0
    fi
    net=$out/net-$1.onnx
    if [ ! -e "$net" ]; then
        # shellcheck disable=SC2086
        /usr/bin/python3 "$here/make.py" "$network" "$net.part" --seed "$1" $size
        mv "$net.part" "$net"
    fi
    # shellcheck disable=SC2086
    train float "$1" "$net" --method none $recipe
    float=$out/float-$1.onnx
}

# row TITLE PAPER NAME: the mean over the seeds of what each of $out/NAME-SEED gets right
row() {
    for turn in $(seq "$seeds"); do
        numbers=$(cat "$out/$3-$turn.txt" 2>/dev/null |
            sed -n 's/^ternary: .* weights, \([0-9.]*\) % zeros, \([0-9.]*\) bits.*/\1 \2/p')
        echo "$(cat "$out/$3-$turn.right") ${numbers:-- -}"
    done | awk -v title="$1" -v paper="$2" '
        { sum += $1; right[NR] = $1; zeros += $2; bits += $3; ternary = $2 != "-" }
        END {
            mean = sum / NR
            for (i in right) squares += (right[i] - mean) ^ 2
            printf "%-42s %7s %6s %8.2f %10s %7s\n", title, ternary ? sprintf("%.1f", zeros / NR) : "-",
                ternary ? sprintf("%.3f", bits / NR) : "-", mean,
                (NR > 1) ? sprintf("%.2f", sqrt(squares / (NR - 1))) : "-", paper
        }'
}

# float_row PAPER
float_row() {
    for turn in $(seq "$seeds"); do
        prepare "$turn"
        judge "$out/float-$turn" "$float"
    done
    row float "$1" float
}

# try NAME TITLE PAPER OPTION...: a row of the float models made ternary with the options
try() {
    name=$1 title=$2 paper=$3
    shift 3
    for turn in $(seq "$seeds"); do
        prepare "$turn"
        train "$name" "$turn" "$float" "$@"
        judge "$out/$name-$turn" "$out/$name-$turn.onnx"
    done
    row "$title" "$paper" "$name"
}

# published LENET5 VGG7 RESNET18: the number for the network; "-": the paper has none
published() {
    case $network in
    lenet5) echo "$1" ;;
    vgg7) echo "$2" ;;
    resnet18) echo "$3" ;;
    *) echo - ;;
    esac
}
