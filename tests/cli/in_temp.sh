#!/bin/sh
# in_temp.sh COMMAND...: run a command in a new, empty folder that is removed afterwards; its exit code is ours.
dir=$(mktemp -d "${TMPDIR:-/tmp}/ternc.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP
cd "$dir" || exit 1
"$@"
