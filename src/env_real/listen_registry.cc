#include "env_real/listen_registry.h"

#include <algorithm>

namespace stator::env {

std::optional<ListenRegistry::Joined> ListenRegistry::join(ListenKind kind, const Address& asked,
                                                           ListenMember member) {
  const std::lock_guard lock(mutex_);
  for (Group& group : groups_) {
    const bool has_part =
        std::any_of(group.members.begin(), group.members.end(),
                    [&](const ListenMember& m) { return m.shard == member.shard; });
    if (group.kind != kind || group.asked != asked || has_part) continue;
    group.members.push_back(member);
    return Joined{group.id, group.bound};
  }
  return std::nullopt;
}

ListenRegistry::GroupId ListenRegistry::found(ListenKind kind, const Address& asked,
                                              const Address& bound, ListenMember member) {
  const std::lock_guard lock(mutex_);
  groups_.push_back({.id = ++last_id_,
                     .kind = kind,
                     .asked = asked,
                     .bound = bound,
                     .binder = member.shard,
                     .members = {member},
                     .next = 0});
  return last_id_;
}

std::optional<unsigned> ListenRegistry::leave(GroupId group, ListenMember member) {
  const std::lock_guard lock(mutex_);
  Group* found = find(group);
  if (found == nullptr) return std::nullopt;
  std::erase_if(found->members, [&](const ListenMember& m) {
    return m.shard == member.shard && m.listener == member.listener;
  });
  if (!found->members.empty()) return std::nullopt;
  const unsigned binder = found->binder;
  std::erase_if(groups_, [&](const Group& g) { return g.id == group; });
  return binder;
}

std::optional<ListenMember> ListenRegistry::next(GroupId group) {
  const std::lock_guard lock(mutex_);
  Group* found = find(group);
  if (found == nullptr) return std::nullopt;
  return found->members[found->next++ % found->members.size()];
}

ListenRegistry::Group* ListenRegistry::find(GroupId group) {
  for (Group& g : groups_) {
    if (g.id == group) return &g;
  }
  return nullptr;
}

}  // namespace stator::env
