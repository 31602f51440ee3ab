# cli_docs.sh - texts that come from the table of options: the manual page, which has every option of every command's
# help and which groff takes without a warning, and completion for bash; and the options that README and guide name.
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
if have groff; then
    groff -man -Tutf8 -ww -wbreak -rLL=100n ternc.1 >page 2>err || complain "groff"
    [ -s err ] && complain "groff warns"
    grep -q "Baseline, software float: m23" page || complain "the manual lacks names of targets"
    grep -q "ternc compile net.onnx -o out" page || complain "an example is broken in the manual"
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
