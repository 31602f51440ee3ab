# cli_examples.sh - the examples, built as their users do and run: CMake from the build tree and from an installed
# ternc, make, bare metal in emulators, WebAssembly. What lacks its tools is skipped by name, the rest is tried.
. "$TERNC_SOURCE/tests/cli/expect.sh"
build=$(dirname "$TERNC_BIN")

cp -r "$TERNC_SOURCE/examples" examples || exit 1

if have cmake make g++ pkg-config; then
    try cmake --install "$build" --prefix "$PWD/installed"
    # What the installed texts link to is there, and so is what they name "beside" them.
    doc=installed/share/doc/ternc
    for text in README.md docs/guide.md docs/operators.md docs/internals.md docs/measurements.md examples/README.md; do
        folder=$(dirname "$doc/$text")
        grep -o '](.[^)#:]*)' "$doc/$text" | sed 's/^](//; s/)$//; s/#.*//' >links
        while read -r link; do
            [ -z "$link" ] || [ -e "$folder/$link" ] || complain "$text, installed, links to $link"
        done <links
        [ -s "$doc/$text" ] || complain "$text is not installed"
    done
    [ -s $doc/docs/rival.h ] || complain "rival.h is not installed beside the guide"
    # These scripts need the source tree.
    [ -z "$(find $doc -name figures.sh -o -name demo.sh)" ] || complain "scripts are installed that cannot work there"

    for generator in "Unix Makefiles" Ninja; do
        [ "$generator" != Ninja ] || have ninja || continue
        rm -rf app
        # Two ways to find ternc: the build tree, or where it was installed.
        found=-Dternc_DIR=$build
        [ "$generator" != Ninja ] || found=-DCMAKE_PREFIX_PATH=$PWD/installed
        try cmake -G "$generator" -S examples/application -B app "$found" -DCMAKE_C_FLAGS_RELEASE=-O1 \
            -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
        try cmake --build app
        level=$(sed -n 's/^ \* Compile tiny.c with \(-O[0-9a-z]*\)[ ,].*/\1/p' app/ternc/networks/tiny.h)
        grep -q -e "${level:-no level} .*tiny\.c" app/compile_commands.json ||
            complain "tiny.c is not compiled with $level, as its header says"
        try app/classify
        says "10 of 10 right"
        try app/two_models
        says "the large network was asked"
        try app/threads
        says "the same scores"

        # What has not changed is not made again; a changed model, option or ternc is noticed.
        touch stamp
        sleep 1
        try cmake --build app
        [ app/ternc/networks/tiny.c -ot stamp ] || complain "the model was compiled again without need"
        touch examples/tiny/tiny.onnx
        try cmake --build app
        [ app/ternc/networks/tiny.c -nt stamp ] || complain "a new model was not compiled"
        [ app/ternc/networks/fashion.c -ot stamp ] || complain "another model was compiled as well"
        sed -i 's/OPTIMIZE size/& LOWERING sparse/' examples/application/CMakeLists.txt
        try cmake --build app
        grep -q "Lowering: sparse" app/ternc/networks/tiny.c || complain "a new option had no effect"
        sed -i 's/ LOWERING sparse//' examples/application/CMakeLists.txt
        sed -i 's/^ternc_add_model(classify .* 1\/255/& SPLIT 3/' examples/application/CMakeLists.txt
        try cmake --build app
        [ -s app/ternc/classify/fashion_3.c ] || complain "SPLIT had no effect"
        try app/classify
        says "10 of 10 right"
        sed -i 's/ SPLIT 3//' examples/application/CMakeLists.txt
    done
    touch stamp
    sleep 1
    touch installed/bin/ternc
    try cmake --build app
    [ app/ternc/classify/fashion.c -nt stamp ] || complain "a new ternc was not used"

    # Wrong uses of ternc_add_model.
    mkdir wrong
    for call in "app" "app MODEL" "app MODEL m.onnx FROB" "app MODEL m.onnx NAME"; do
        printf 'cmake_minimum_required(VERSION 3.20)\nproject(w C)\nfind_package(ternc REQUIRED)\nternc_add_model(%s)\n' \
            "$call" >wrong/CMakeLists.txt
        if cmake -S wrong -B wrong/build "-Dternc_DIR=$build" >out 2>err; then
            complain "ternc_add_model($call) was accepted"
        fi
        grep -q "ternc_add_model(app)" err || complain "ternc_add_model($call): no message of its own"
    done

    # A model without NAME is named as ternc itself names it.
    printf 'include("%s/ternc-functions.cmake")\n_ternc_name(name "${MODEL}")\nmessage(STATUS "${name}")\n' \
        "$PWD/installed/share/cmake/ternc" >name.cmake
    for file in net.v1 switch _x x_ a--b 3d tn bool Bool TN math String stdint2 é "my model" a.b.c Net_2 __; do
        rm -rf named
        cp examples/tiny/tiny.onnx "$file.onnx"
        try ternc compile "$file.onnx" -o named --quiet
        try cmake "-DMODEL=$PWD/$file.onnx" -P name.cmake
        name=$(sed 's/^-- //' out)
        [ -e "named/$name.h" ] || complain "$file.onnx: CMake names it '$name', ternc $(cd named && echo *.h)"
    done

    try make -C examples/application CC=gcc CFLAGS=-O1 TERNC="$TERNC_BIN"
    try examples/application/classify
    says "10 of 10 right"
    program=$(PKG_CONFIG_PATH=installed/share/pkgconfig pkg-config --variable=ternc ternc)
    try "$program" --version
fi

# run_make EXAMPLE VARIABLE...
run_make() {
    folder=examples/$1
    shift
    try make -C "$folder" run TERNC="$TERNC_BIN" "$@"
}

if have make clang ld.lld; then
    for target in cortex-m4 rv32imafc rv64gc; do
        case $target in
        cortex-m4) have qemu-system-arm || continue ;;
        rv32imafc) have qemu-system-riscv32 || continue ;;
        *) have qemu-system-riscv64 || continue ;;
        esac
        run_make bare-metal TARGET=$target
        [ "$(cat out err | grep -c ": right")" -eq 10 ] || complain "$target: not ten images right"
    done
    # The exit code reaches the shell: always the same image, so nine are wrong.
    if have qemu-system-arm; then
        sed -i 's/fashion_run(images\[i\], score)/fashion_run(images[0], score)/' examples/bare-metal/main.c
        if make -C examples/bare-metal run TERNC="$TERNC_BIN" >out 2>err; then
            complain "nine wrong images and exit code 0"
        fi
    fi
fi

if have make avr-gcc simavr; then
    run_make avr
    cat out err | grep -q "08 of 10 right" || complain "avr: other images are right than on a PC"
fi

if [ ! -d /usr/share/datasets/fashion-mnist ]; then
    echo "skipped: wasm: dataset-fashion-mnist is not installed"
    skipped=yes
elif have make clang wasm-ld node; then
    run_make wasm
fi

finish
