#include "env_sim/listen_table.h"

#include <algorithm>

#include "env_sim/network.h"
#include "env_sim/shard_loop.h"

namespace stator::sim {

Result<env::Address> ListenTable::bind(Kind kind, const env::Address& asked, unsigned shard) {
  env::Address bound = asked;
  if (bound.port == 0) bound.port = next_port_;
  for (const Group& group : groups_) {
    const bool has_part = std::any_of(
        group.members.begin(), group.members.end(),
        [shard](SimListener* member) { return member->network().loop().shard() == shard; });
    if (group.kind == kind && group.asked == asked && !has_part) return group.bound;
    if (group.bound.port == bound.port) {
      return std::unexpected(
          Error{.code = ErrorCode::kConflict, .detail = env::to_string(bound) + " is in use"});
    }
  }
  if (asked.port == 0) ++next_port_;
  return bound;
}

void ListenTable::add(Kind kind, const env::Address& asked, SimListener& listener) {
  const env::Address& bound = listener.address();
  for (Group& group : groups_) {
    if (group.bound.port != bound.port) continue;
    group.members.push_back(&listener);
    return;
  }
  groups_.push_back({kind, asked, bound, {&listener}});
}

void ListenTable::remove(const SimListener& listener) {
  for (Group& group : groups_) {
    const auto found = std::find(group.members.begin(), group.members.end(), &listener);
    if (found == group.members.end()) continue;
    // The others keep their turns.
    if (static_cast<std::size_t>(found - group.members.begin()) < group.next) --group.next;
    group.members.erase(found);
  }
  std::erase_if(groups_, [](const Group& group) { return group.members.empty(); });
}

bool ListenTable::listens(Kind kind, std::uint16_t port) const {
  return std::any_of(groups_.begin(), groups_.end(), [&](const Group& group) {
    return group.kind == kind && group.bound.port == port;
  });
}

SimListener* ListenTable::next(Kind kind, std::uint16_t port) {
  for (Group& group : groups_) {
    if (group.kind != kind || group.bound.port != port) continue;
    if (group.next >= group.members.size()) group.next = 0;
    return group.members[group.next++];
  }
  return nullptr;
}

}  // namespace stator::sim
