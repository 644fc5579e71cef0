#include <istream>
#include <iterator>
#include <memory>

#include "cli/commands.h"
#include "cli/key_options.h"

namespace stator::cli {

namespace {

struct PutOptions {
  WriteOptions write;
  std::optional<std::string> value;
  std::string content_type;
};

Exit put(const PutOptions& options, Console& console) {
  HttpRequest request{.method = "PUT"};
  if (options.value && *options.value != "-") {
    request.body = *options.value;
  } else {
    request.body.assign(std::istreambuf_iterator<char>(console.in), {});
  }
  if (!options.content_type.empty()) {
    if (options.content_type.find_first_of("\r\n") != std::string::npos) {
      return fail(console, Exit::kUsage, "--content-type: must be one line",
                  "the same with --content-type text/plain");
    }
    request.headers.emplace_back("Content-Type", options.content_type);
  }
  return write_with_context("put", options.write, std::move(request), console);
}

}  // namespace

void register_put(Command& root) {
  const auto options = std::make_shared<PutOptions>();
  Command command;
  command.name = "put";
  command.summary = "Write a key, in place of what it holds now";
  command.details =
      "Reads the key first and passes the context on, so that the new value takes the place of "
      "what\n"
      "is there. With --blind it does not read: what is there stays, as a sibling. With --context "
      "it\n"
      "takes the place of exactly what that context saw. Prints the context after the write.";
  command.examples = {
      "stator put default cart:42 bread                # read, then write over it",
      "stator put default cart:42 - < cart.json        # the value from standard input",
      "stator put default cart:42 beer --blind         # beside what is there: a sibling",
      "stator put default cart:42 both --context CTX   # merge what `get` showed with CTX",
      "stator put default -- n -5                      # after -- nothing is an option"};
  options->write.key.add_arguments(command.arguments);
  command.arguments.push_back(
      {"VALUE", "the value; - or nothing reads standard input", &options->value});
  options->write.add_options(command.options);
  command.options.push_back({"--content-type", "TYPE",
                             "kept with the value (default application/octet-stream)",
                             &options->content_type});
  command.run = [options](Console& console) { return put(*options, console); };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli
