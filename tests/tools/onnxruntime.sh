#!/bin/sh
# onnxruntime.sh FOLDER: npm's onnxruntime-node in FOLDER/node_modules, installed once. Install scripts, which would
# download more, do not run: the library for Linux lies inside the package. Exit code 77, visibly: out of reach.
set -u
folder=$1
package=onnxruntime-node@1.30.0

skip() {
    echo "SKIPPED: $1"
    exit 77
}

[ ! -d "$folder/node_modules/onnxruntime-node" ] || exit 0
command -v node >/dev/null && command -v npm >/dev/null || skip "there is no node or no npm"
mkdir -p "$folder" || exit 1
timeout 300 npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --fetch-retries=1 "$package" \
    >"$folder/npm.log" 2>&1 || skip "npm cannot install $package: $(tail -n 1 "$folder/npm.log")"
