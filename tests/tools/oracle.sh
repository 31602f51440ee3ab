#!/bin/sh
# oracle.sh UNIT_OPS TERNC FOLDER: every row of the case table through onnxruntime, an implementation that is not ours, and
# random QLinear operators, which are no rows since others stand for them. Skips, visibly, where npm or the registry is out of
# reach, the second part without python3-onnx. FOLDER keeps the installed package.
set -u
unit_ops=$1
ternc=$2
folder=$3
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

sh "$here/onnxruntime.sh" "$folder" || exit $?
mkdir -p "$folder/cases" "$folder/codes" || exit 1
cp "$here/oracle.mjs" "$folder/" || exit 1
"$unit_ops" --write "$folder/cases" || exit 1
node "$folder/oracle.mjs" "$folder/cases" || exit 1
/usr/bin/python3 -c 'import onnx, numpy' 2>/dev/null || {
    echo "SKIPPED: python3-onnx is not installed"
    exit 77
}
/usr/bin/python3 "$here/oracle_codes.py" "$ternc" "$folder/codes" || exit 1
exec node "$folder/oracle.mjs" "$folder/codes"
