#include "cli/version.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands.h"

namespace stator::cli {

namespace {

#ifdef __clang__
constexpr const char* kCompiler = __VERSION__;  // says its name itself
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

}  // namespace

std::string_view program_version() {
  return STATOR_VERSION;
}

void register_version(Command& root) {
  const auto output = std::make_shared<std::string>("table");
  Command command;
  command.name = "version";
  command.summary = "Print the version of this program";
  command.examples = {"stator version", "stator version -o json"};
  command.options.push_back(
      {"-o,--output", "FORMAT", "how to print it", output.get(), {"table", "json"}});
  command.run = [output](Console& console) {
    if (*output == "json") {
      nlohmann::ordered_json json;
      json["version"] = program_version();
      json["compiler"] = __VERSION__;
      console.out << json.dump() << '\n';
    } else {
      console.out << "stator " << program_version() << " (built with " << kCompiler << ")\n";
    }
    return Exit::kDone;
  };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli
