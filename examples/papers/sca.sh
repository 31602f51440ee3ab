#!/bin/sh
# sca.sh: Sparsity-Control Ternary Weight Networks (Deng and Zhang, arXiv 2011.00580): alpha is the knob for zeros, which
# must rise with it, but in a run too short for that (--quick). The paper's claim is the accuracy of the float network.
#   sca.sh NETWORK FOLDER [OPTION...]    see papers.sh
# papers.sh sets quick, fine and out; options are lists, split on purpose.
# shellcheck disable=SC2086,SC2154
. "$(dirname -- "$0")/papers.sh"
setup "$@"
float_row -
last=-1
for alpha in 0.1 0.3 0.5 0.7 0.9; do
    try "alpha$alpha" "SCA, alpha $alpha" float --method sca --alpha $alpha $fine >"$out/row"
    cat "$out/row"
    zeros=$(awk '{ print $4 }' "$out/row")
    [ "$quick" ] || awk -v a="$last" -v b="$zeros" 'BEGIN { exit !(b > a) }' ||
        stop 1 "zeros do not rise with alpha: $last, then $zeros %"
    last=$zeros
done
