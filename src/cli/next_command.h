#pragma once

#include <string>

#include "base/time.h"

// An error ends with the next command to type (design 2.1). A node does not know from where it was
// asked and hints at its HTTP interface; here its errors become commands of this program.

namespace stator::cli {

/// What a command asked a node, as far as it matters for what comes next.
struct Asked {
  std::string command{};     // "put"
  std::string key{};         // "BUCKET KEY" as a shell takes it; empty: about no key
  Duration node_tries{};     // how long the node was told to try; 0: the command cannot say so
  std::string node{};        // "127.0.0.1:7380", the node that answered
  bool write_open{false};    // a write was sent, and may show up or not
  std::string write_id{};    // of that write, under which it can be sent again
  bool before_write{false};  // it was the read for the context of a write, which was not sent
};

/// The line after "next: " for an error answer with this code in "error" (front/http/errors.cc). A
/// code of a later node leads to `stator status`, which shows what is wrong with the cluster.
[[nodiscard]] std::string next_command(const std::string& code, const Asked& asked);

}  // namespace stator::cli
