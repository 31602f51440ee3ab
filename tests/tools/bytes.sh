#!/bin/sh
# bytes.sh FILE.o...: bytes of code and constants in ELF object files of any machine: the loaded sections that have
# contents, but unwinding tables. The static arena (.bss) is RAM and not counted.
set -eu
total=0
for object in "$@"; do
    sizes=$(readelf -SW "$object" | sed 's/^ *\[ *[0-9]*\] *//' |
        awk '$2 == "PROGBITS" && $7 ~ /A/ && $1 !~ /^\.(eh_frame|ARM)/ { print $5 }')
    for size in $sizes; do
        total=$((total + 0x$size))
    done
done
echo "$total"
