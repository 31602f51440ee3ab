#!/bin/sh
# lengths.sh: how long functions and files are; exit 1 over 80 lines a function or 800 a file.
# A function: from the last line that starts in column 0 before its "{" in column 0 to its "}" in column 0.
# Tests must keep the limits but do not count in the figures.
set -u
cd "$(dirname "$0")/../.." || exit 1
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
find compiler passes runtime examples tests -name '*.[ch]' | LC_ALL=C sort | xargs awk '
FNR == 1 { if (file) print "file", last, file; file = FILENAME; open = 0 }
{ last = FNR }
/^[A-Za-z_]/ { head = FNR }
/^\{$/ { open = head }
/^\}$/ { if (open) print "function", FNR - open + 1, file ":" open; open = 0 }
END { print "file", last, file }' | sort -k1,1 -k2,2n >"$lines"

awk '$1 == "function" && $3 !~ /^tests/ { n[++count] = $2; where = $3 }
END {
    printf "functions: %d, lines: median %d, 90th percentile %d, longest %d (%s)\n",
        count, n[int((count + 1) / 2)], n[int(count * 0.9 + 0.999)], n[count], where
}' "$lines"
awk '$1 == "file" && $3 !~ /^tests/ { text = sprintf(", %s %d", $3, $2) text }
END { split(substr(text, 3), top, ", "); printf "largest files: %s, %s, %s\n", top[1], top[2], top[3] }' "$lines"
awk '$1 == "function" && $2 > 80 || $1 == "file" && $2 > 800 { print "over the limit: " $3 ": " $2 " lines"; bad = 1 }
END { exit bad }' "$lines"
