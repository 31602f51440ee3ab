#!/bin/sh
# oracle.sh UNIT_OPS FOLDER: every row of the case table through onnxruntime, an implementation that is not ours. Skips,
# visibly, where npm or the registry is out of reach. FOLDER keeps the installed package.
set -u
unit_ops=$1
folder=$2
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

sh "$here/onnxruntime.sh" "$folder" || exit $?
mkdir -p "$folder/cases" || exit 1
cp "$here/oracle.mjs" "$folder/" || exit 1
"$unit_ops" --write "$folder/cases" || exit 1
exec node "$folder/oracle.mjs" "$folder/cases"
