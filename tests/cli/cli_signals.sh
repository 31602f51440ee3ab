# cli_signals.sh - a command that is ended by a signal dies of it, leaves no temporary files, programs or half of an
# output, whatever it was doing.
. "$TERNC_SOURCE/tests/cli/expect.sh"
make_models
mkdir tmp
export TMPDIR="$PWD/tmp" XDG_CACHE_HOME="$PWD/cache"

# A compiler that starts and never ends, as a child of what ternc starts.
cat >slow <<'END'
#!/bin/sh
[ "$1" != --version ] || exec echo slow 1
sleep 1000 &
echo $! >sleeping.new
mv sleeping.new sleeping
wait
END
chmod +x slow

await() {
    for _ in $(seq 600); do
        [ ! -e "$1" ] || return 0
        sleep 0.1
    done
    complain "$1 does not appear"
}

# A program that was killed may still take a moment to be gone. A zombie has no command line.
gone() {
    for _ in $(seq 100); do
        [ -n "$(tr -d '\0' 2>/dev/null <"/proc/$1/cmdline")" ] || return 0
        sleep 0.1
    done
    return 1
}

no_leftovers() {
    left=$(find tmp -mindepth 1; find . -name '*.tmp*'; find . -name 'new-*')
    [ -z "$left" ] || complain "$1 leaves: $left"
}

# end SIGNAL CODE ternc WORD...: the compiler is running when the signal comes
end() {
    signal=$1 code=$2
    shift 3
    rm -f sleeping
    "$TERNC_BIN" "$@" --cc ./slow >out 2>err </dev/null &
    pid=$!
    await sleeping
    kill -s "$signal" "$pid"
    wait "$pid" 2>/dev/null
    got=$?
    [ "$got" -eq "$code" ] || complain "$* : exit code $got, not $code, on SIG$signal"
    gone "$(cat sleeping)" || complain "$* : the compiler still runs after SIG$signal"
    no_leftovers "ternc $* on SIG$signal"
}

end TERM 143 ternc check m/tiny.onnx
end HUP 129 ternc check m/tiny.onnx
end TERM 143 ternc size m/tiny.onnx --no-cache
end PIPE 141 ternc size m/tiny.onnx --threads 1

# Background jobs of a shell ignore SIGINT, and so does what they start; env undoes that.
if env --default-signal=INT true 2>/dev/null; then
    rm -f sleeping
    env --default-signal=INT "$TERNC_BIN" check m/tiny.onnx --cc ./slow >out 2>err </dev/null &
    pid=$!
    await sleeping
    kill -s INT "$pid"
    wait "$pid" 2>/dev/null
    [ $? -eq 130 ] || complain "check does not die of SIGINT"
    no_leftovers "ternc check on SIGINT"
fi

# At any moment: all of the output, or nothing.
for wait in 0 0.004 0.008 0.012 0.016 0.02 0.03 0.04 0.06; do
    rm -rf folder one.onnx
    "$TERNC_BIN" compile m/tiny.onnx -o folder >out 2>err </dev/null &
    pid=$!
    sleep "$wait"
    kill -s TERM "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    if [ -e folder ]; then
        [ -s folder/tiny.c ] && [ -s folder/tiny.h ] || complain "compile ended after $wait s leaves half of its output"
    fi
    "$TERNC_BIN" ternarize m/tiny.onnx -o one.onnx >out 2>err </dev/null &
    pid=$!
    sleep "$wait"
    kill -s TERM "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    [ ! -e one.onnx ] || expect 0 "" ternc inspect one.onnx
    no_leftovers "a command ended after $wait s"
done
finish
