/**
 * Completion for bash, to be read by it. The one that `@bomb.sh/tab` prints needs functions of the package bash-completion,
 * which macOS and containers lack, completes no file names, cannot be read twice by one shell, and evaluates what was
 * typed. This one asks the same `boxwright complete`, runs in bash 3.2 too (macOS), and leaves files to bash.
 */
export const bashCompletion = `# bash completion for boxwright
__boxwright_complete() {
    local word value words=() count=0 glued=
    # Up to the cursor; bash takes an option and its value apart at "=".
    for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
        if [[ $count -gt 0 && ( $word == '=' || -n $glued ) ]]; then
            words[count - 1]+=$word
            [[ $word == '=' ]] && glued=yes || glued=
        else
            words[count]=$word
            count=$((count + 1))
        fi
    done
    word=\${COMP_WORDS[COMP_CWORD]#=}
    COMPREPLY=()
    # A line is a value, a tab and what it is; the last is a number for other shells.
    while IFS=$'\\t' read -r value _; do
        [[ $value != :* && $value == "$word"* ]] && COMPREPLY+=("$value")
    done < <("$1" complete -- "\${words[@]}" 2>/dev/null)
    return 0
}
# Files where nothing else fits.
complete -o default -F __boxwright_complete boxwright`;
