/** Completion scripts by shell: each asks `skerry completion words …` for what may follow. */

/** Completes `skerry …`, and `npx skerry …` beside whatever npx itself completes by. */
const BASH = `# Completion of skerry for bash.
_skerry() {
  local first=1
  [[ "\${COMP_WORDS[0]##*/}" == npx ]] && first=2
  if (( COMP_CWORD < first )); then return; fi
  local -a ask=("\${COMP_WORDS[@]:0:first}")
  local IFS=$'\\n'
  COMPREPLY=($("\${ask[@]}" completion words -- "\${COMP_WORDS[@]:first:COMP_CWORD-first}" "\${COMP_WORDS[COMP_CWORD]}" 2>/dev/null))
}
_skerry_npx() {
  [[ "\${COMP_WORDS[1]}" == skerry ]] && _skerry
}
complete -F _skerry skerry
complete -o bashdefault -o default -F _skerry_npx npx
`;

const ZSH = `#compdef skerry
# Completion of skerry for zsh.
_skerry() {
  local -a found
  found=("\${(@f)$(skerry completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- "\${(@)found:#}"
}
if [ "\${funcstack[1]}" = "_skerry" ]; then _skerry; else compdef _skerry skerry; fi
`;

const FISH = `# Completion of skerry for fish.
function __skerry_words
    set -l typed (commandline -opc) (commandline -ct)
    skerry completion words -- $typed[2..-1] 2>/dev/null
end
complete -c skerry -f -a "(__skerry_words)"
`;

export const COMPLETION_SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
