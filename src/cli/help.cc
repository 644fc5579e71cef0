#include "cli/help.h"

#include <algorithm>
#include <ostream>
#include <string_view>

namespace stator::cli {

namespace {

constexpr std::size_t kColumns = 100;

struct Row {
  std::string name;
  std::string text;
};

// Two columns; the second is folded.
void print_rows(const char* title, const std::vector<Row>& rows, std::ostream& out) {
  if (rows.empty()) return;
  std::size_t width = 0;
  for (const Row& row : rows) width = std::max(width, std::min<std::size_t>(row.name.size(), 30));
  out << '\n' << title << '\n';
  for (const Row& row : rows) {
    out << "  " << row.name;
    std::size_t column = 2 + row.name.size();
    const std::size_t indent = width + 4;
    const auto new_line = [&] {
      out << '\n' << std::string(indent, ' ');
      column = indent;
    };
    if (column + 2 > indent) {
      new_line();
    } else {
      out << std::string(indent - column, ' ');
      column = indent;
    }
    std::string_view rest = row.text;
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
      if (column > indent) {
        if (column + 1 + word.size() > kColumns) {
          new_line();
        } else {
          out << ' ';
          ++column;
        }
      }
      out << word;
      column += word.size();
    }
    out << '\n';
  }
}

std::string choices(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& choice : all) text += (text.empty() ? "" : ", ") + choice;
  return text.empty() ? text : " (" + text + ")";
}

std::string option_name(const Option& option) {
  std::string name = option.names;
  for (std::size_t at = name.find(','); at != std::string::npos; at = name.find(',', at + 2)) {
    name.insert(at + 1, " ");
  }
  // Long forms stand in one column.
  if (name.starts_with("--")) name.insert(0, "    ");
  return option.value.empty() ? name : name + " " + option.value;
}

}  // namespace

std::string usage_line(const Command& command, const std::string& path) {
  std::string line = path;
  for (const Argument& argument : command.arguments) {
    const bool required = std::holds_alternative<std::string*>(argument.target);
    line += required ? " " + argument.name : " [" + argument.name + "]";
  }
  if (!command.commands.empty()) line += " COMMAND";
  if (!command.options.empty()) line += " [options]";
  return line;
}

void print_help(const Command& command, const std::string& path, std::ostream& out) {
  out << command.summary << "\n\nusage: " << usage_line(command, path) << '\n';
  if (!command.details.empty()) out << '\n' << command.details << '\n';
  std::vector<Row> rows;
  for (const Argument& argument : command.arguments) {
    rows.push_back({argument.name, argument.help + choices(argument.choices)});
  }
  print_rows("arguments:", rows, out);
  rows.clear();
  for (const Command& below : command.commands) rows.push_back({below.name, below.summary});
  print_rows("commands:", rows, out);
  rows.clear();
  for (const Option& option : command.options) {
    rows.push_back({option_name(option), option.help + choices(option.choices)});
  }
  rows.push_back({"-h, --help", "this text"});
  print_rows("options:", rows, out);
  if (!command.examples.empty()) {
    out << "\nexamples:\n";
    for (const std::string& example : command.examples) out << "  " << example << '\n';
  }
}

}  // namespace stator::cli
