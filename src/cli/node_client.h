#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/http_client.h"
#include "cli/next_command.h"

namespace stator::cli {

/// What every command takes that asks a node.
struct NodeOptions {
  std::string node;  // --node; empty: $STATOR_NODE, else the defaults below
  std::optional<std::string> timeout;
  std::string output = "table";

  /// --node, --timeout and -o with these formats, the default first.
  void add_options(std::vector<Option>& options, std::vector<std::string> formats);
  /// What --timeout says, or the default. kBadRequest when it is no time.
  [[nodiscard]] Result<Duration> time_to_wait() const;
};

/// Asks the node that `options` mean. Without --node and $STATOR_NODE it is the first of
/// 127.0.0.1:7380 (a node with the default port) and 127.0.0.1:7411 (the first node of `dev`) at
/// which somebody answers; later requests go to the same one.
class NodeClient {
 public:
  NodeClient(const NodeOptions& options, Console& console) : options_(options), console_(console) {}

  /// False after it has said why: `exit()` is the code to end with. `answer()` has any status.
  [[nodiscard]] bool ask(const HttpRequest& request);
  [[nodiscard]] const HttpAnswer& answer() const { return answer_; }
  /// What another node says, at its announced HTTP address, once ask() has found one: the body of
  /// its answer; empty where nobody answers there, or not with status 200.
  [[nodiscard]] std::string ask_at(const std::string& address, const HttpRequest& request) const;
  [[nodiscard]] Exit exit() const { return exit_; }
  /// "127.0.0.1:7380", of the node that answered.
  [[nodiscard]] std::string node() const;

  /// Says what the JSON of an error answer says, and what to type next; with -o json, the JSON
  /// itself. Of `asked` only what the caller knows: the node and the outcome stand in the answer.
  [[nodiscard]] Exit refused(Asked asked) const;

 private:
  [[nodiscard]] bool choose_nodes();
  bool failed(Exit exit, const std::string& what, const std::string& next);

  const NodeOptions& options_;
  Console& console_;
  std::vector<env::Address> nodes_;
  bool chosen_ = true;  // by --node or $STATOR_NODE
  Duration timeout_{};
  HttpAnswer answer_;
  Exit exit_ = Exit::kDone;
};

}  // namespace stator::cli
