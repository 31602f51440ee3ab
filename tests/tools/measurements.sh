# measurements.sh - for measure.sh and bench.sh: each writes its own section of docs/measurements.md, one for every
# processor. Sections of other scripts and processors stay as they are.
#   begin_section           remembers the machine's load: first of all, before the script makes load itself
#   section_facts TEXT      the line under the heading: date, processors, load, then TEXT
#   write_section NAME FILE puts FILE under the heading "NAME: PROCESSOR", in place of what stood there
#   columns CELL..., row CELL..., version COMPILER, grouped NUMBER
# Who includes this sets root; MEASUREMENTS names another file than docs/measurements.md.
# shellcheck shell=sh disable=SC2154
: "${MEASUREMENTS:=$root/docs/measurements.md}"

begin_section() {
    load=$(cut -d' ' -f1 /proc/loadavg)
}

# The name alone may be that of many processors: the family, the model and the vectors say more.
processor() {
    LC_ALL=C lscpu | awk -F': *' '
        $1 == "Model name" && !name { name = $2 }
        $1 == "CPU family" { facts = facts ", family " $2 }
        $1 == "Model" { facts = facts ", model " $2 }
        $1 == "Flags" { flags = " " $2 " " }
        END {
            facts = facts (flags ~ / avx512f / ? ", AVX-512" : flags ~ / avx2 / ? ", AVX2" : "")
            print name (facts ? " (" substr(facts, 3) ")" : "")
        }'
}

version() {
    printf '%s %s' "$1" "$("$1" --version | sed -n '1s/.* \([0-9][0-9.]*\).*/\1/p')"
}

# 1234567 as 1,234,567; words stay words.
grouped() {
    echo "$1" | sed -e ':again' -e 's/^\([0-9][0-9]*\)\([0-9]\{3\}\)/\1,\2/' -e 't again'
}

section_facts() {
    printf '%s, %s processors, load average %s at the start; %s.\n' "$(date +%Y-%m-%d)" "$(nproc)" "$load" "$1"
}

row() {
    printf '|'
    printf ' %s |' "$@"
    echo
}

columns() {
    echo
    row "$@"
    printf '|'
    printf -- '---|%.0s' "$@"
    echo
}

write_section() {
    HEADING="## $1: $(processor)" BODY=$2 awk '
        function put(line) {
            print ENVIRON["HEADING"] "\n"
            while ((getline line <ENVIRON["BODY"]) > 0) print line
            print ""
            written = 1
        }
        /^## / {
            inside = $0 == ENVIRON["HEADING"]
            if (inside || (!written && $0 == "## Earlier experiments")) put()
        }
        !inside { print }
        END { if (!written) put() }' "$MEASUREMENTS" >"$MEASUREMENTS.new" && mv "$MEASUREMENTS.new" "$MEASUREMENTS"
}
