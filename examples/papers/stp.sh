#!/bin/sh
# stp.sh: sparsity-induced ternary pruning (Faraone et al., arXiv 1709.06262): sparsify, prune, retrain. The paper's claim
# is up to 98 % zeros at 0.18 to 0.20 bits a weight, better than plain ternary weights; bits are the entropy here. Below
# the table, the accuracy on held-back images at the end of either trained stage.
#   stp.sh NETWORK FOLDER [OPTION...]    see papers.sh
# papers.sh sets fine and out; options are lists, split on purpose.
# shellcheck disable=SC2086,SC2154
. "$(dirname -- "$0")/papers.sh"
setup "$@"
float_row -
try twn "TWN" - --method twn $fine
for sparsity in 0.90 0.95 0.98; do
    try "stp$sparsity" "STP, wanted zeros $sparsity" - --method stp --sparsity $sparsity $fine
done
for sparsity in 0.90 0.95 0.98; do
    for stage in sparsify retrain; do
        cat "$out/stp$sparsity"-*.log | awk -v stage="$stage" -v wanted="$sparsity" -F'"accuracy":' '
            /"epoch":1,/ { runs++; last = "" }
            index($0, "\"stage\":\"" stage "\"") { sum += $2 - last; last = $2 + 0 }
            END { printf "zeros %s, %s: held back %.2f %%\n", wanted, stage, 100 * sum / runs }'
    done
done
