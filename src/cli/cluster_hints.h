#pragma once

#include <string>
#include <vector>

#include "cli/json.h"

namespace stator::cli {

/// What one member keeps for others, as it says itself.
struct KeptBy {
  std::string name;
  std::string hints;  // the JSON of /v1/hints; empty: it did not answer
};

/// What all members keep together, owner by owner, as a JSON document (docs/http.md, /v1/hints):
/// each node knows its own backlog alone (paper 4.6), and an owner has caught up when nobody keeps
/// anything for it. `status` is that of the node that was asked for the members; its opinion of an
/// owner's health is told. What nobody told is in no sum, and `complete` is false then. Pure.
[[nodiscard]] std::string cluster_hints(const Json& status, const std::vector<KeptBy>& keepers);

/// How long it may take until `owner`, one of the "owners" of /v1/hints or of cluster_hints(), has
/// all; for people. Empty where nothing is pending, or nobody can tell: a rate that still changes
/// would promise hours where it takes a minute. Pure.
[[nodiscard]] std::string time_left(const Json& owner);

}  // namespace stator::cli
