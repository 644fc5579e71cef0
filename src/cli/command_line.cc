#include "cli/command_line.h"

#include <algorithm>
#include <exception>
#include <ostream>

#include <CLI/CLI.hpp>

#include "cli/help.h"
#include "cli/nearest.h"
#include "cli/setting_values.h"

namespace stator::cli {

namespace {

template <typename... Fs>
struct Overload : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overload(Fs...) -> Overload<Fs...>;

/// A command and what reads its part of the line.
struct Bound {
  const Command* command;
  CLI::App* app;
  std::string path;
};

// Read by our own parsers: the library takes "-1" for a large number.
template <typename Target, typename T>
CLI::Option* add_number(CLI::App& app, const Option& option, Target* target,
                        Result<T> (*parse)(std::string_view)) {
  return app.add_option_function<std::string>(
      option.names, [name = long_name(option), target, parse](const std::string& given) {
        const auto number = parse(given);
        if (!number) throw CLI::ValidationError(name, number.error().detail);
        *target = *number;
      });
}

void allow_only(CLI::Option& added, const std::vector<std::string>& choices) {
  if (choices.empty()) return;
  added.check([choices](const std::string& given) {
    if (std::find(choices.begin(), choices.end(), given) != choices.end()) return std::string();
    std::string what = "'" + given + "' is none of: ";
    for (const std::string& one : choices) what += (&one == &choices.front() ? "" : ", ") + one;
    return what;
  });
}

void add_option(CLI::App& app, const Option& option) {
  CLI::Option* added = std::visit(
      Overload{
          [&](bool* flag) { return app.add_flag(option.names, *flag); },
          [&](std::vector<std::string>* many) {
            // One value each time, so that what follows is not swallowed.
            return app.add_option(option.names, *many)->allow_extra_args(false);
          },
          [&](std::optional<std::string>* text) {
            return app
                .add_option_function<std::string>(
                    option.names, [text](const std::string& given) { *text = given; })
                ->take_last();
          },
          [&](std::string* text) { return app.add_option(option.names, *text)->take_last(); },
          [&](std::uint64_t* count) {
            return add_number(app, option, count, parse_count)->take_last();
          },
          [&](std::optional<std::uint64_t>* count) {
            return add_number(app, option, count, parse_count)->take_last();
          },
          [&](double* number) {
            return add_number(app, option, number, parse_number)->take_last();
          },
      },
      option.target);
  allow_only(*added, option.choices);
}

void add_argument(CLI::App& app, const Argument& argument) {
  CLI::Option* added = std::visit(
      Overload{[&](std::string* text) { return app.add_option(argument.name, *text)->required(); },
               [&](std::optional<std::string>* text) {
                 return app.add_option_function<std::string>(
                     argument.name, [text](const std::string& given) { *text = given; });
               }},
      argument.target);
  allow_only(*added, argument.choices);
}

void add_command(CLI::App& app, const Command& command, const std::string& path,
                 std::vector<Bound>& bound) {
  app.set_help_flag("-h,--help");
  app.allow_extras();  // what is not known is named by us, with what was probably meant
  for (const Option& option : command.options) add_option(app, option);
  for (const Argument& argument : command.arguments) add_argument(app, argument);
  bound.push_back({&command, &app, path});
  for (const Command& below : command.commands) {
    add_command(*app.add_subcommand(below.name, below.summary), below, path + " " + below.name,
                bound);
  }
}

const Bound& called(const std::vector<Bound>& bound) {
  const Bound* deepest = &bound.front();
  for (const Bound& one : bound) {
    if (one.app->parsed() && one.path.size() > deepest->path.size()) deepest = &one;
  }
  return *deepest;
}

Exit unknown(Console& console, const Bound& at, const std::string& word) {
  std::vector<std::string> names;
  const bool is_option = word.size() > 1 && word.starts_with('-');
  const std::string bare = word.substr(0, word.find('='));
  if (is_option) {
    for (const Option& option : at.command->options) names.push_back(long_name(option));
    names.push_back("--help");
  } else {
    for (const Command& below : at.command->commands) names.push_back(below.name);
  }
  const char* kind = is_option ? "option" : at.command->commands.empty() ? "argument" : "command";
  std::string what = "'" + at.path + "' has no " + kind + " '" + bare + "'";
  if (const std::string meant = nearest(bare, names); !meant.empty()) {
    what += ", did you mean '" + meant + "'?";
  }
  return fail(console, Exit::kUsage, what, at.path + " --help");
}

Exit refused(Console& console, const Bound& at, const CLI::ParseError& error) {
  std::string what = error.what();
  std::replace(what.begin(), what.end(), '\n', ' ');
  return fail(console, Exit::kUsage, "'" + at.path + "': " + what, at.path + " --help");
}

// What people type by habit, in the words of this program.
std::vector<std::string> by_habit(const Command& program, std::vector<std::string> arguments) {
  if (arguments.empty()) return arguments;
  const std::string first = arguments.front();
  if ((first == "--version" || first == "-v") && program.find("version") != nullptr) {
    arguments.front() = "version";
  } else if (first == "help" && program.find("help") == nullptr) {
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
  }
  return arguments;
}

// Help that was asked for: of what exists.
Exit help(Console& console, const std::vector<Bound>& bound) {
  for (const Bound& one : bound) {
    if (one.command->commands.empty()) continue;
    for (const std::string& word : one.app->remaining()) {
      if (!word.starts_with('-')) return unknown(console, one, word);
    }
  }
  const Bound& at = called(bound);
  print_help(*at.command, at.path, console.out);
  return Exit::kDone;
}

}  // namespace

Exit run_command_line(const Command& program, const std::vector<std::string>& given,
                      Console& console) {
  const std::vector<std::string> arguments = by_habit(program, given);
  CLI::App app(program.summary, program.name);
  std::vector<Bound> bound;
  add_command(app, program, program.name, bound);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return help(console, bound);
  } catch (const CLI::ParseError& error) {
    const Bound& at = called(bound);
    for (const std::string& word : at.app->remaining()) {
      if (word.starts_with('-')) return unknown(console, at, word);
    }
    return refused(console, at, error);
  }
  const Bound& at = called(bound);
  for (const std::string& word : at.app->remaining()) {
    if (word != "--") return unknown(console, at, word);
  }
  for (const Bound& one : bound) {
    if (const auto left = one.app->remaining(); &one != &at && one.app->parsed() && !left.empty()) {
      return unknown(console, one, left.front());
    }
  }
  if (!at.command->run) {
    if (arguments.empty()) {
      print_help(*at.command, at.path, console.out);
      return Exit::kUsage;
    }
    return fail(console, Exit::kUsage, "'" + at.path + "' needs a command", at.path + " --help");
  }
  try {
    return at.command->run(console);
  } catch (const std::exception& error) {
    // What libraries throw at us (no memory, a broken pipe) ends here; our own errors are values.
    return fail(console, Exit::kFailed, error.what(), at.path + " --help");
  }
}

}  // namespace stator::cli
