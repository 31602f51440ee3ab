#!/bin/sh
# twn.sh: Ternary Weight Networks (Li and Liu, arXiv 1605.04711): float, then ternary as the paper has it, with one scale
# and the threshold 0.7 mean|W| for each layer and no layer float, then as ternc does it unless told otherwise.
#   twn.sh NETWORK FOLDER [OPTION...]    see papers.sh
# papers.sh sets recipe; options are lists, split on purpose.
# shellcheck disable=SC2086,SC2154
. "$(dirname -- "$0")/papers.sh"
setup "$@"
float_row "$(published 99.41 92.88 65.4)"
try layer "TWN, a scale for each layer" "$(published 99.35 92.56 61.8)" --method twn --granularity layer \
    --threshold 0.7 --keep none $recipe
try channel "TWN, a scale for each channel, last float" - --method twn $recipe
