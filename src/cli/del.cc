#include <memory>

#include "cli/commands.h"
#include "cli/key_options.h"

namespace stator::cli {

void register_del(Command& root) {
  const auto options = std::make_shared<WriteOptions>();
  Command command;
  command.name = "del";
  command.summary = "Delete a key, in place of what it holds now";
  command.details =
      "Reads the key first and removes exactly that; what others write meanwhile stays. With "
      "--blind\n"
      "it removes what the node that coordinates it holds. With --context it removes what that\n"
      "context saw.";
  command.examples = {"stator del default cart:42",
                      "stator del default cart:42 --context CTX   # what `get` showed with CTX"};
  options->key.add_arguments(command.arguments);
  options->add_options(command.options);
  command.run = [options](Console& console) {
    return write_with_context("del", *options, HttpRequest{.method = "DELETE"}, console);
  };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli
