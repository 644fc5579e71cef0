#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// What a command is, apart from the library that reads the command line: help, the manual and the
// completions of shells are made from the same tree. One thread, one command per process.

namespace stator::cli {

/// The exit codes of the program (design 2.1).
enum class Exit : int {
  kDone = 0,
  kFailed = 1,       // the operation failed
  kUsage = 2,        // the command line or the configuration is wrong
  kUnreachable = 3,  // no node could be reached
};

/// Where a command reads and writes, so that tests can stand in for a terminal.
struct Console {
  std::ostream& out;
  std::ostream& err;
  std::istream& in;
  bool color = false;  // `out` is a terminal and NO_COLOR is not set
  /// As a shell takes it, and as it was called: "stator", "build/release/stator".
  std::string program = "stator";
};

/// A command of this program as it can be typed here: "stator get" becomes "build/release/stator
/// get" where it was called so. What begins otherwise ("the same again") stays.
[[nodiscard]] std::string as_called(const Console& console, std::string_view command);

/// Says what went wrong and what to type next (`next` is shown as_called), each on a line of its
/// own:
///   stator: no node answers at 127.0.0.1:7380
///   next: stator dev
Exit fail(Console& console, Exit code, std::string_view what, std::string_view next = {});

/// Where the value of an option goes. A `bool` makes it a switch; a vector, one that may be
/// repeated; an optional stays empty when the option is not given.
using OptionTarget =
    std::variant<bool*, std::string*, std::optional<std::string>*, std::uint64_t*,
                 std::optional<std::uint64_t>*, double*, std::vector<std::string>*>;

struct Option {
  std::string names;  // "--node" or "-o,--output"
  std::string value;  // how help calls its value, "A:P"; empty for a switch
  std::string help;   // one sentence, no full stop
  OptionTarget target;
  std::vector<std::string> choices{};  // the only values that are valid, if any are named
};

/// A positional argument; an optional one may be left out.
struct Argument {
  std::string name;
  std::string help;
  std::variant<std::string*, std::optional<std::string>*> target;
  std::vector<std::string> choices{};
};

/// `targets` of options and arguments live in what `run` owns (a shared struct of options).
struct Command {
  std::string name{};
  std::string summary{};                // one line
  std::string details{};                // paragraphs
  std::vector<std::string> examples{};  // "stator put cart 42 bread   # what it shows"
  std::vector<Option> options{};
  std::vector<Argument> arguments{};
  std::vector<Command> commands{};
  std::function<Exit(Console&)> run{};  // empty: one of `commands` must follow

  /// The command of this name below this one, or nullptr.
  [[nodiscard]] const Command* find(std::string_view wanted) const;
};

/// "--node" of "-n,--node": the long form, or what there is.
[[nodiscard]] std::string long_name(const Option& option);

}  // namespace stator::cli
