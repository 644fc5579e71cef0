#include "cli/command.h"

#include <ostream>

namespace stator::cli {

std::string as_called(const Console& console, std::string_view command) {
  constexpr std::string_view kName = "stator";
  const bool ours =
      command == kName || (command.starts_with(kName) && command[kName.size()] == ' ');
  if (!ours) return std::string(command);
  return console.program + std::string(command.substr(kName.size()));
}

Exit fail(Console& console, Exit code, std::string_view what, std::string_view next) {
  console.out.flush();
  console.err << "stator: " << what << '\n';
  if (!next.empty()) console.err << "next: " << as_called(console, next) << '\n';
  console.err.flush();
  return code;
}

const Command* Command::find(std::string_view wanted) const {
  for (const Command& command : commands) {
    if (command.name == wanted) return &command;
  }
  return nullptr;
}

std::string long_name(const Option& option) {
  const std::size_t at = option.names.find("--");
  if (at == std::string::npos) return option.names.substr(0, option.names.find(','));
  return option.names.substr(at, option.names.find(',', at) - at);
}

}  // namespace stator::cli
