# cli_size.sh - size: totals against llvm-size on the same objects, sums, cache, formats, the baseline, wrong use.
. "$TERNC_SOURCE/tests/cli/expect.sh"
make_models
XDG_CACHE_HOME=$PWD/cache
export XDG_CACHE_HOME
mkdir cache
cp m/tiny.onnx second.onnx
targets=host,i686,x86-64-v3,aarch64,cortex-m0plus,cortex-m4,cortex-m55,rv32imac,rv32imafc,rv64gc,avr,avr-flash,wasm32

llvm_size=$(command -v llvm-size-14 || command -v llvm-size) || complain "llvm-size is not installed"

# Every object: llvm-size counts code and constants of ELF as text, constants of wasm as data.
expect 0 "" ternc size m/tiny.onnx --methods none,twn,stp --lowerings auto,unroll --targets $targets \
    --csv -o kept
cp out all.csv
/usr/bin/python3 - "$llvm_size" >totals 2>&1 <<'PY' || complain "totals: $(cat totals)"
import csv, subprocess, sys
rows = list(csv.DictReader(open("all.csv")))
totals = [r for r in rows if r["part"] == "total"]
assert len(totals) == 3 * 2 * 13, len(totals)
for t in totals:
    key = [t[k] for k in ("model", "method", "lowering", "target")]
    model = key[0].split("/")[-1].removesuffix(".onnx")
    text = subprocess.run([sys.argv[1], f"kept/{'-'.join([model] + key[1:])}/net.o"], capture_output=True, text=True)
    sizes = [int(n) for n in text.stdout.split("\n")[1].split()[:3]]
    code, constants, data, bss = (int(t[k]) for k in ("code", "constants", "data", "bss"))
    ours = [code, constants, bss] if key[3] == "wasm32" else [code + constants, data, bss]
    assert sizes == ours and min(code, constants) > 0, (key, sizes, ours)
    parts = [r for r in rows if [r[k] for k in ("model", "method", "lowering", "target")] == key and r is not t]
    if key[3] == "wasm32":
        assert not parts and t["stack"] == "", key
        continue
    for column in ("code", "constants"):
        assert sum(int(p[column]) for p in parts) == int(t[column]), (key, column)
    assert sum(p["part"].startswith("layer") for p in parts) == 3, key
    assert all(int(p["code"]) > 0 for p in parts if p["part"].startswith("layer")), key
    assert int(t["stack"]) > 0, key
    in_ram = constants if key[3] == "avr" else 0
    assert int(t["ram"]) == data + bss + in_ram + int(t["stack"]) and bss >= int(t["arena"]) > 0, key
PY

expect 0 "" ternc size m/tiny.onnx second.onnx --methods twn
says "second.onnx: code + constants"

# The cache: the same answer with it, without it, and when it is damaged.
[ "$(ls cache/ternc | wc -l)" -gt 20 ] || complain "the cache holds $(ls cache/ternc | wc -l) objects"
expect 0 "" ternc size m/tiny.onnx --targets cortex-m4,rv32imac --json
cp out cached.json
for entry in cache/ternc/*; do
    printf 'damaged' | dd of="$entry" bs=1 seek=200 conv=notrunc 2>dd.log
done
expect 0 "" ternc size m/tiny.onnx --targets cortex-m4,rv32imac --json
same out cached.json
expect 0 "" ternc size m/tiny.onnx --targets cortex-m4,rv32imac --json --no-cache
same out cached.json
/usr/bin/python3 -c 'import json; r = json.load(open("cached.json"))["results"]
assert [x["target"] for x in r] == ["cortex-m4", "rv32imac"] * 2, r
assert all(sum(l["code"] for l in x["layers"]) + x["shared"]["code"] == x["code"] for x in r)
assert r[0]["flash"] > r[2]["flash"] and r[0]["entropy"] == 32' 2>err || complain "cached.json"

# Targets that are measured beside it change nothing.
expect 0 "" ternc size m/tiny.onnx --methods twn --keep none --lowerings unroll --targets cortex-m0 --csv
grep ,cortex-m0, out >alone.csv
expect 0 "" ternc size m/tiny.onnx --methods twn --keep none --lowerings unroll --targets cortex-m4,cortex-m0 --csv
grep ,cortex-m0, out >beside.csv
same alone.csv beside.csv

# For people.
expect 0 "" ternc size m/tiny.onnx --targets cortex-m4,wasm32 --explain --optimize speed --html report.html
says "cortex-m4"
says "2 Gemm 'fc'"
says "run net_run_in"
says "--optimize speed"
grep -q '<svg' report.html || complain "report.html has no chart"
expect 0 "" ternc size --list-targets
says "--target=thumbv7em-none-eabihf -mcpu=cortex-m4"
says " rp2040 "
expect 0 "" ternc size m/tiny.onnx --custom-target "tiny=--target=thumbv6m-none-eabi -mthumb"
says "tiny"

# The baseline.
expect 0 "" ternc size m/tiny.onnx --targets cortex-m4 --save-baseline base.json
expect 0 "" ternc size m/tiny.onnx --targets cortex-m4 --baseline base.json
says "as before"
"$TERNC_BIN" size m/tiny.onnx --targets cortex-m4 --cflags -O3 --baseline base.json >out 2>err
[ $? -eq 1 ] || complain "-O3 is no growth"
says "GREW"
grep -q "note: base.json was measured with cflags '-Os', not '-O3'" err || complain "no note on other flags"
grep -q "error: 2 of 2 combinations grew" err || complain "no message"
most=$(grep -o '+[0-9.]* %)' out | tr -d '+ %)' | sort -n | tail -n 1) # of the growths, and its tolerance on either side
"$TERNC_BIN" size m/tiny.onnx --targets cortex-m4 --cflags -O3 --baseline base.json --tolerance $((${most%.*} - 1)) \
    >out 2>err && complain "a growth of $most % passes a tolerance of one less"
expect 0 "ternc: note: base.json was measured with cflags '-Os', not '-O3'" \
    ternc size m/tiny.onnx --targets cortex-m4 --cflags -O3 --baseline base.json --tolerance $((${most%.*} + 1))
expect 1 "ternc: error: no.json: cannot read: No such file or directory" \
    ternc size m/tiny.onnx --csv -o kept2 --baseline no.json
absent kept2

# What cannot be compiled is said; the rest is measured.
"$TERNC_BIN" size m/tiny.onnx --methods twn --targets host --custom-target bad=--target=frob --save-baseline b >out 2>err
[ $? -eq 1 ] || complain "a failing target is no failure"
says "unknown target triple 'frob'"
says "host"
grep -qx "ternc: error: 1 of 2 combinations could not be compiled; no baseline is written" err || complain "no message"
absent b
expect 1 "ternc: error: no-such-cc: cannot run: No such file or directory; --cc names another clang" \
    ternc size m/tiny.onnx --cc no-such-cc

expect 2 "ternc: usage: 'ternc size' needs a model: ternc size MODEL.onnx..." ternc size
expect 2 "ternc: usage: --methods: 'sca' is not one of none|twn|stp" ternc size m --methods twn,sca
expect 2 "ternc: usage: --lowerings: 'auto' is named twice" ternc size m --lowerings auto,auto
expect 2 "ternc: usage: --targets: there is no target 'z80'; 'ternc size --list-targets' lists all, --custom-target \
NAME=FLAGS makes one of flags for clang" ternc size m --targets z80
expect 2 "ternc: usage: --threshold has no meaning with --methods none alone; add twn or stp" \
    ternc size m --methods none --threshold 0.7
expect 2 "ternc: usage: --tolerance has no meaning without --baseline" ternc size m --tolerance 1
expect 2 "ternc: usage: --csv and --json exclude each other" ternc size m --csv --json
expect 2 "ternc: usage: the model 'm' is given twice" ternc size m m
expect 2 "ternc: usage: --output: 'a/m.onnx' and 'm.onnx' would share a folder; measure them one by one" \
    ternc size a/m.onnx m.onnx -o kept2
# Names of folders differ whatever the case.
expect 2 "ternc: usage: --output: 'a/M.onnx' and 'm.onnx' would share a folder; measure them one by one" \
    ternc size a/M.onnx m.onnx -o kept2
expect 2 "ternc: usage: --targets: 'MINE' is named twice" \
    ternc size m --custom-target mine=-O1 --custom-target MINE=-O2
finish
