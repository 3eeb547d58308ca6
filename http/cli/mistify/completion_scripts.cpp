#include "http/cli/mistify/completion.hpp"
#include "http/cli/mistify/context.hpp"
#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/runs.hpp"
#include "http/cli/mistify/screen.hpp"

namespace mistify::cli {

namespace {

constexpr std::string_view bash_script = R"bash(# bash completion of mistify
_mistify() {
  # Words as the user typed them: bash splits at "=" and ":".
  local words=() word line=${COMP_LINE:0:COMP_POINT} i glued=0
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    line=${line#"${line%%[![:space:]]*}"}
    if ((glued && ${#words[@]})); then words[-1]+=$word; else words+=("$word"); fi
    line=${line#"$word"}
    if [[ -n $line && $line != [[:space:]]* ]]; then glued=1; else glued=0; fi
  done
  local current=${words[-1]} piece=${COMP_WORDS[COMP_CWORD]}
  [[ $piece == [:=] ]] && piece=
  local done_part=${current%"$piece"} candidate candidates
  mapfile -t candidates < <("${COMP_WORDS[0]}" --complete "${words[@]:1}" 2>/dev/null)
  COMPREPLY=()
  for candidate in "${candidates[@]}"; do
    printf -v candidate '%q' "${candidate#"$done_part"}"
    COMPREPLY+=("$candidate")
  done
}
complete -o default -o nosort -F _mistify mistify
)bash";

constexpr std::string_view zsh_script = R"zsh(#compdef mistify
# zsh completion of mistify
_mistify() {
  local -a candidates
  candidates=("${(@f)$("${words[1]}" --complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  candidates=("${(@)candidates:#}")
  if (( ${#candidates} )); then
    compadd -- "${candidates[@]}"
  else
    _files
  fi
}
if [ "${funcstack[1]}" = _mistify ]; then
  _mistify "$@"
else
  compdef _mistify mistify
fi
)zsh";

constexpr std::string_view fish_script = R"fish(# fish completion of mistify
function __mistify_complete
    set -l words (commandline -opc)
    mistify --complete $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c mistify -a '(__mistify_complete)'
)fish";

} // namespace

std::string_view completion_script(std::string_view shell) {
  return shell == "bash" ? bash_script : shell == "zsh" ? zsh_script : shell == "fish" ? fish_script : "";
}

int print_completion(context& cx) {
  const auto script = completion_script(cx.args.text("SHELL"));
  if (script.empty())
    throw give_up{status::usage, "the shell is bash, zsh or fish"};
  print(script);
  return code(status::done);
}

} // namespace mistify::cli
