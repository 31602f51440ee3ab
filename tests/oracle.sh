#!/bin/sh
# oracle.sh UNIT_OPS FOLDER: every row of the case table through onnxruntime, an implementation that is not ours. Skips,
# visibly, where npm or the registry is out of reach. FOLDER keeps the installed package.
set -u
unit_ops=$1
folder=$2
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
package=onnxruntime-node@1.30.0

skip() {
    echo "SKIPPED: $1"
    exit 77
}

command -v node >/dev/null && command -v npm >/dev/null || skip "there is no node or no npm"
mkdir -p "$folder/cases" || exit 1
cp "$here/oracle.mjs" "$folder/" || exit 1
if [ ! -d "$folder/node_modules/onnxruntime-node" ]; then
    timeout 300 npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --fetch-retries=1 "$package" \
        >"$folder/npm.log" 2>&1 || skip "npm cannot install $package: $(tail -n 1 "$folder/npm.log")"
fi
"$unit_ops" --write "$folder/cases" || exit 1
exec node "$folder/oracle.mjs" "$folder/cases"
