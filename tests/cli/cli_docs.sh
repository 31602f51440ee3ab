# cli_docs.sh - texts that come from the table of options: the manual page, which has every option of every command's
# help and which groff takes without a warning, and completion for bash; the options that README and guide name, with
# their defaults; the links of all texts; the scripts that write figures and pictures.
. "$TERNC_SOURCE/tests/cli/expect.sh"

expect 0 "" ternc --man
cp out ternc.1
for command in inspect compile ternarize run eval check size bench; do
    says ".SS ternc $command "
    ternc $command --help | sed -n 's/^ *\(-., \)\{0,1\}--\([a-z0-9-]*\).*/\2/p' | sort -u >options
    [ "$(wc -l <options)" -gt 5 ] || complain "no options in the help of $command"
    while read -r option; do
        case $option in help | version) continue ;; esac
        grep -q "$(printf %s "--$option" | sed 's/-/.-/g')" ternc.1 || complain "the manual lacks --$option"
    done <options
    cat options >>all
done
for option in $(cd "$TERNC_SOURCE" && grep -oh -e '--[a-z][a-z0-9-]*' README.md docs/guide.md | sort -u); do
    case $option in --install | --prefix | --export | --gc-sections | --no-entry | --variable) continue ;; esac # of other programs
    grep -qxF -e "${option#--}" all || complain "README or guide has $option, which is no option"
done

# Defaults in the guide are those of the help: "`--alpha` (0.5", "`--sparsity` (default 0.9"; and those that are told by
# method stand somewhere in its section on training.
guide=$TERNC_SOURCE/docs/guide.md
ternc ternarize --help >help
help_of() { # help_of OPTION: its lines
    awk -v option="--$1" '$1 ~ /^-/ { here = $1 == option || $2 == option } here' help
}
sed -n 's/`--/\n`--/gp' "$guide" | sed -n 's/^`--\([a-z-]*\)` (\(default \)\{0,1\}\([0-9.]*[0-9]\).*/\1 \3/p' | sort -u >defaults
[ "$(wc -l <defaults)" -ge 5 ] || complain "the guide has too few defaults: $(cat defaults)"
while read -r option value; do
    help_of "$option" | grep -qE -e "(default|[a-z]+): ${value}[);,]" || complain "the guide has $value for --$option"
done <defaults
sed -n '/^## Training/,/^## [^T]/p' "$guide" >training
for option in threshold weight-decay; do
    help_of $option | grep -oE '[0-9]*\.[0-9]+' >numbers
    [ -s numbers ] || complain "the help of --$option has no default"
    while read -r value; do
        grep -qE -e "(^|[^0-9.])${value}([^0-9]|\$)" training || complain "the guide does not have $value, which --$option has"
    done <numbers
done
if have groff; then
    groff -man -Tutf8 -ww -wbreak -rLL=100n ternc.1 >page 2>err || complain "groff"
    [ -s err ] && complain "groff warns"
    grep -q "Baseline, software float: m23" page || complain "the manual lacks names of targets"
    grep -q "ternc compile net.onnx -o out" page || complain "an example is broken in the manual"
fi

# links TEXT: files that are there, headings that are there. A heading's anchor has its letters, digits and hyphens.
links() {
    grep -o '](#*[^():]*)' "$1" | sed 's/^](//; s/)$//' | while read -r link; do
        file=$(dirname "$1")/${link%%#*}
        [ -n "${link%%#*}" ] || file=$1
        [ -e "$file" ] || echo "$link"
        case $link in *#*) sed -n 's/^##* //p' "$file" | tr 'A-Z ' 'a-z-' | sed 's/[^a-z0-9-]//g' | grep -qxF -e "${link#*#}" || echo "$link" ;; esac
    done
}
for text in README.md docs/guide.md docs/internals.md docs/measurements.md docs/operators.md examples/README.md; do
    lost=$(links "$TERNC_SOURCE/$text")
    [ -z "$lost" ] || complain "$text links to $lost"
done

# A section of measurements is one for its script and processor, whatever else the page has.
# shellcheck disable=SC2034
root=$TERNC_SOURCE MEASUREMENTS=page.md
. "$TERNC_SOURCE/tests/tools/measurements.sh"
printf '# Figures\n\n## bench.sh: another processor\n\nkept\n\n## Earlier experiments\n\nold\n' >page.md
begin_section
for count in 1 2; do
    { section_facts "$(version gcc)" && columns a b && row 1 $count; } >section
    write_section measure.sh section
done
printf '# Figures\n\n## bench.sh: another processor\n\nkept\n\n## measure.sh: %s\n\n%s\n\n| a | b |\n|---|---|\n| 1 | 2 |\n
## Earlier experiments\n\nold\n' "$(processor)" "$(head -n 1 section)" >wanted
same page.md wanted

# The picture of the report is what the script draws, but for the bytes.
picture() {
    sed 's/[0-9][0-9.,]*//g' "$1"
}
if have clang python3; then
    try ternc size "$TERNC_SOURCE/examples/fashion/fashion.onnx" --methods none,twn,stp --sparsity 0.9 --keep first,last \
        --targets cortex-m4 --json --no-cache
    python3 "$TERNC_SOURCE/tests/tools/size_svg.py" <out >size.svg 2>err || complain "size_svg.py"
    picture size.svg >drawn
    picture "$TERNC_SOURCE/docs/size.svg" >wanted
    same drawn wanted
fi

# The table of operators.
expect 0 "" ternc inspect --operators
same out "$TERNC_SOURCE/docs/operators.md"

expect 0 "" ternc --bash-completion
cp out completion
if have bash; then
    completion_of() { # complete WORD... : what the last word becomes
        bash --norc -c '. ./completion; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ternc; echo "${COMPREPLY[*]}"' - "$@"
    }
    equal() {
        [ "$1" = "$2" ] || complain "completion gives '$1', not '$2'"
    }
    equal "$(completion_of ternc com)" "compile"
    equal "$(completion_of ternc compile --low)" "--lowering"
    equal "$(completion_of ternc compile --lowering s)" "sparse"
    equal "$(completion_of ternc compile m.onnx --keep "")" "none first last"
    equal "$(completion_of ternc size --methods "")" "none twn stp"
    equal "$(completion_of ternc compile --target cortex-m4)" "cortex-m4 cortex-m4f"
    equal "$(completion_of ternc bench --target rp)" "rp2040 rp2350"
    equal "$(completion_of ternc size --targets avr)" "avr avr-flash"
    equal "$(completion_of ternc size --targets host,m4,avr-)" "host,m4,avr-flash"
    equal "$(completion_of ternc size --methods none,)" "none,none none,twn none,stp"
    equal "$(completion_of ternc compile --output g)" ""
    equal "$(completion_of ternc inspect --lowering)" ""
fi
finish
