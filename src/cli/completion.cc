#include <algorithm>
#include <memory>
#include <ostream>

#include "cli/commands.h"

namespace stator::cli {

namespace {

struct Node {
  const Command* command;
  std::string path;  // "config show"; empty for the program
};

void collect(const Command& command, const std::string& path, std::vector<Node>& nodes) {
  nodes.push_back({&command, path});
  for (const Command& below : command.commands) {
    collect(below, path.empty() ? below.name : path + " " + below.name, nodes);
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::vector<std::string> option_names(const Command& command) {
  std::vector<std::string> names;
  for (const Option& option : command.options) names.push_back(long_name(option));
  names.emplace_back("--help");
  return names;
}

std::vector<std::string> next_words(const Command& command) {
  std::vector<std::string> words;
  for (const Command& below : command.commands) words.push_back(below.name);
  for (const Argument& argument : command.arguments) {
    words.insert(words.end(), argument.choices.begin(), argument.choices.end());
  }
  return words;
}

std::string short_name(const Option& option) {
  return option.names.starts_with("--") ? "" : option.names.substr(0, option.names.find(','));
}

bool takes_file(const Option& option) {
  return option.value == "FILE" || option.value == "DIR";
}

void print_bash(const std::vector<Node>& nodes, std::ostream& out) {
  out << "# bash completion of stator\n_stator() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]} path=\"\" i "
         "next\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    next=\"${path:+$path }${COMP_WORDS[i]}\"\n"
         "    case \"$next\" in\n      ";
  std::string paths;
  for (const Node& node : nodes) {
    if (!node.path.empty()) paths += (paths.empty() ? "\"" : "|\"") + node.path + "\"";
  }
  out << paths << ") path=$next ;;\n    esac\n  done\n  case \"$path $last\" in\n";
  for (const Node& node : nodes) {
    for (const Option& option : node.command->options) {
      std::string pattern = "\"" + node.path + " " + long_name(option) + "\"";
      if (const std::string brief = short_name(option); !brief.empty()) {
        pattern += "|\"" + node.path + " " + brief + "\"";
      }
      if (!option.choices.empty()) {
        out << "    " << pattern << ") COMPREPLY=($(compgen -W \"" << joined(option.choices)
            << "\" -- \"$word\")); return ;;\n";
      } else if (takes_file(option)) {
        out << "    " << pattern << ") COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n";
      }
    }
  }
  out << "  esac\n  case \"$path\" in\n";
  for (const Node& node : nodes) {
    out << "    \"" << node.path << "\") COMPREPLY=($(compgen -W \""
        << joined(next_words(*node.command)) << " " << joined(option_names(*node.command))
        << "\" -- \"$word\")) ;;\n";
  }
  out << "  esac\n}\ncomplete -F _stator stator\n";
}

// Quoted for zsh and fish, whose single quotes end at the next one.
std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return "'" + out + "'";
}

void print_zsh(const std::vector<Node>& nodes, std::ostream& out) {
  out << "#compdef stator\n# zsh completion of stator\n_stator() {\n"
         "  local path=\"\" next i\n  local -a words_left\n"
         "  for ((i = 2; i < CURRENT; i++)); do\n    next=\"${path:+$path }${words[i]}\"\n"
         "    case \"$next\" in\n      ";
  std::string paths;
  for (const Node& node : nodes) {
    if (!node.path.empty()) paths += (paths.empty() ? "\"" : "|\"") + node.path + "\"";
  }
  out << paths << ") path=$next ;;\n    esac\n  done\n  case \"$path\" in\n";
  for (const Node& node : nodes) {
    out << "    \"" << node.path << "\")\n      words_left=(";
    for (const Command& below : node.command->commands) {
      out << "\n        " << quoted(below.name + ":" + below.summary);
    }
    for (const std::string& word : next_words(*node.command)) {
      if (node.command->find(word) == nullptr) out << "\n        " << quoted(word);
    }
    for (const Option& option : node.command->options) {
      out << "\n        " << quoted(long_name(option) + ":" + option.help);
    }
    out << "\n        '--help:this text') ;;\n";
  }
  out << "  esac\n  _describe 'stator' words_left || _files\n}\ncompdef _stator stator\n";
}

void print_fish(const std::vector<Node>& nodes, std::ostream& out) {
  out << "# fish completion of stator\ncomplete -c stator -f\n";
  for (const Node& node : nodes) {
    // All words of the path were typed, and none of the commands below.
    std::string condition;
    std::string_view rest = node.path;
    while (!rest.empty()) {
      const std::string word(rest.substr(0, rest.find(' ')));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
      condition += (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
    }
    std::vector<std::string> below_names;
    for (const Command& below : node.command->commands) below_names.push_back(below.name);
    if (!below_names.empty()) {
      condition += (condition.empty() ? "" : "; and ") +
                   ("not __fish_seen_subcommand_from " + joined(below_names));
    }
    const std::string start = "complete -c stator -n " + quoted(condition);
    for (const Command& below : node.command->commands) {
      out << start << " -a " << below.name << " -d " << quoted(below.summary) << '\n';
    }
    for (const Argument& argument : node.command->arguments) {
      if (!argument.choices.empty())
        out << start << " -a " << quoted(joined(argument.choices)) << '\n';
    }
    for (const Option& option : node.command->options) {
      out << start << " -l " << long_name(option).substr(2);
      if (const std::string brief = short_name(option); !brief.empty()) out << " -s " << brief[1];
      if (!option.value.empty()) out << " -x";
      if (!option.choices.empty()) out << " -a " << quoted(joined(option.choices));
      if (takes_file(option)) out << " -F";
      out << " -d " << quoted(option.help) << '\n';
    }
  }
}

}  // namespace

void register_completion(Command& root) {
  const auto shell = std::make_shared<std::string>();
  Command command;
  command.name = "completion";
  command.summary = "Print what makes a shell complete the commands and options of stator";
  command.examples = {"source <(stator completion bash)",
                      "stator completion zsh > ~/.zfunc/_stator",
                      "stator completion fish > ~/.config/fish/completions/stator.fish"};
  command.arguments.push_back({"SHELL", "which shell", shell.get(), {"bash", "zsh", "fish"}});
  command.run = [shell](Console& console) {
    const Command program = make_program();
    std::vector<Node> nodes;
    collect(program, "", nodes);
    if (*shell == "bash") print_bash(nodes, console.out);
    if (*shell == "zsh") print_zsh(nodes, console.out);
    if (*shell == "fish") print_fish(nodes, console.out);
    return Exit::kDone;
  };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli
