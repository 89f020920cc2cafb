#include "completion.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/pipeline/config.hpp>

#include <fmt/format.h>

#include <map>
#include <vector>

namespace cathoscope::app {

namespace {

struct OptionText {
  std::string name;  ///< without dashes
  bool takes_value = false;
  std::string description;
  std::vector<std::string> choices;  ///< empty: files
};

struct CommandText {
  std::string name;
  std::string description;
  std::vector<OptionText> options;
  std::vector<std::string> choices;  ///< of its argument; empty: files
};

/// Values that are words of a short list.
std::vector<std::string> choices_of(const std::string& command, const std::string& option) {
  static const std::map<std::string, std::vector<std::string>> known{
      {"--from", stage_names()},
      {"--until", stage_names()},
      {"--only", stage_names()},
      {"--stage", stage_names()},
      {"--device", {"auto", "cpu", "cuda"}},
      {"--study", {"laws", "parameters", "morris"}},
      {"--type", {"uint8", "uint16", "float32"}},
      {"export --format", {"csv", "vtk", "tiff", "npy"}},
      {"phantom --format", {"hdf5", "tiff"}},
      {"cite --format", {"text", "bibtex", "cff"}},
      {"completion", {"bash", "zsh", "fish"}},
      {"verify", {"attributes", "chemomechanics", "regression", "all"}}};
  const std::string both = command + (option.empty() ? "" : " --" + option);
  for (const std::string& key : {both, "--" + option})
    if (const auto found = known.find(key); found != known.end()) return found->second;
  return {};
}

std::vector<CommandText> commands_of(const CLI::App& app) {
  std::vector<CommandText> commands;
  for (const auto* s : app.get_subcommands([](const CLI::App*) { return true; })) {
    CommandText command{s->get_name(), s->get_description(), {}, choices_of(s->get_name(), "")};
    for (const auto* o : s->get_options())
      if (!o->get_lnames().empty()) {
        const std::string name = o->get_lnames().front();
        command.options.push_back(
            {name, o->get_type_size_max() > 0, o->get_description(), choices_of(command.name, name)});
      }
    for (const char* name : {"verbose", "quiet"})
      command.options.push_back({name, false, app.get_option("--" + std::string(name))->get_description(), {}});
    commands.push_back(std::move(command));
  }
  return commands;
}

std::string names_of(const std::vector<CommandText>& commands, const char* between) {
  std::string text;
  for (const auto& c : commands) text += (text.empty() ? "" : between) + c.name;
  return text;
}

std::string bash_cases(const std::vector<CommandText>& commands) {
  std::string text;
  for (const auto& c : commands) {
    std::string options;
    for (const auto& o : c.options) options += " --" + o.name;
    text += fmt::format("    {}) options='{}'; words='{}' ;;\n", c.name, options.substr(1), fmt::join(c.choices, " "));
  }
  return text;
}

std::string bash_values(const std::vector<CommandText>& commands) {
  std::string text;
  for (const auto& c : commands)
    for (const auto& o : c.options)
      if (o.takes_value)
        text += fmt::format("    '{} --{}') values='{}' ;;\n", c.name, o.name,
                            o.choices.empty() ? "FILES" : fmt::format("{}", fmt::join(o.choices, " ")));
  return text;
}

std::string bash_script(const std::vector<CommandText>& commands) {
  return fmt::format(R"(# cathoscope completion for bash: source <(cathoscope completion bash)
_cathoscope() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command= options= words= values= i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${{COMP_WORDS[i]}} in
      {}) command=${{COMP_WORDS[i]}}; break ;;
    esac
  done
  case $command in
    '') options='--help --version --verbose --quiet'; words='{}' ;;
{}  esac
  case "$command $before" in
{}  esac
  if [[ $values == FILES ]]; then mapfile -t COMPREPLY < <(compgen -f -- "$word")
  elif [[ -n $values ]]; then mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
  elif [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  elif [[ -n $words ]]; then mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  else mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}}
complete -o filenames -F _cathoscope cathoscope
)",
                     names_of(commands, "|"), names_of(commands, " "), bash_cases(commands), bash_values(commands));
}

/// Inside '...' of a zsh or fish script.
std::string quoted(const std::string& text, const std::string& special, const std::string& quote) {
  std::string result;
  for (const char c : text) {
    if (special.find(c) != std::string::npos) result += '\\';
    result += c == '\'' ? quote : std::string(1, c);
  }
  return result;
}

std::string zsh_text(const std::string& text) { return quoted(text, "[]:\\", "'\\''"); }

std::string zsh_option(const OptionText& o) {
  const std::string action = o.choices.empty() ? "_files" : fmt::format("({})", fmt::join(o.choices, " "));
  return fmt::format(" \\\n        '*--{}[{}]{}'", o.name, zsh_text(o.description),
                     o.takes_value ? ":value:" + action : "");
}

std::string zsh_script(const std::vector<CommandText>& commands) {
  std::string list, cases;
  for (const auto& c : commands) {
    list += fmt::format("    '{}:{}'\n", c.name, zsh_text(c.description));
    cases += fmt::format("    {})\n      _arguments", c.name);
    for (const auto& o : c.options) cases += zsh_option(o);
    cases += fmt::format(" \\\n        '*:argument:{}' ;;\n",
                         c.choices.empty() ? "_files" : fmt::format("({})", fmt::join(c.choices, " ")));
  }
  return fmt::format(R"(#compdef cathoscope
# cathoscope completion for zsh: source <(cathoscope completion zsh), or save it as _cathoscope in a folder of $fpath
_cathoscope() {{
  local -a commands=(
{}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=${{words[2]}}
  shift words
  (( CURRENT-- ))
  case $command in
{}  esac
}}
if [[ $funcstack[1] == _cathoscope ]]; then _cathoscope "$@"; else compdef _cathoscope cathoscope; fi
)",
                     list, cases);
}

std::string fish_text(const std::string& text) { return quoted(text, "\\", "\\'"); }

std::string fish_script(const std::vector<CommandText>& commands) {
  std::string text = "# cathoscope completion for fish: cathoscope completion fish | source\n";
  for (const auto& c : commands) {
    text += fmt::format("complete -c cathoscope -n __fish_use_subcommand -f -a {} -d '{}'\n", c.name,
                        fish_text(c.description));
    const std::string here = fmt::format("complete -c cathoscope -n '__fish_seen_subcommand_from {}'", c.name);
    if (!c.choices.empty()) text += fmt::format("{} -f -a '{}'\n", here, fmt::join(c.choices, " "));
    for (const auto& o : c.options) {
      const std::string values = !o.takes_value      ? ""
                                 : o.choices.empty() ? " -r"
                                                     : fmt::format(" -x -a '{}'", fmt::join(o.choices, " "));
      text += fmt::format("{} -l {}{} -d '{}'\n", here, o.name, values, fish_text(o.description));
    }
  }
  return text;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  const auto commands = commands_of(app);
  if (shell == "bash") return bash_script(commands);
  if (shell == "zsh") return zsh_script(commands);
  if (shell == "fish") return fish_script(commands);
  fail(Exit::usage, "completion: '{}' is not one of bash, zsh, fish", shell);
}

}  // namespace cathoscope::app
