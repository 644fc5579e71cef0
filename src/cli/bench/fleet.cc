#include "cli/bench/fleet.h"

#include <algorithm>

namespace stator::bench {

void Fleet::connect(const std::vector<env::Address>& nodes) {
  add_group(nodes);
}

void Fleet::set_slots(const SlotMap& map) {
  std::vector<std::uint16_t> group_of_node;
  for (const env::Address& node : map.nodes) {
    const auto same = [&](const Group& group) { return group.node == node; };
    const auto found = std::find_if(groups_.begin(), groups_.end(), same);
    group_of_node.push_back(static_cast<std::uint16_t>(found - groups_.begin()));
    if (found == groups_.end()) add_group({node});
  }
  slots_.assign(kSlots, 0);
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (map.owner[slot] != SlotMap::kNobody) slots_[slot] = group_of_node[map.owner[slot]];
  }
}

void Fleet::add_group(const std::vector<env::Address>& nodes) {
  const std::size_t number = groups_.size();
  Group& group = groups_.emplace_back();
  group.node = nodes.front();
  group.is_roomy.resize(clients_);
  for (std::uint32_t client = 0; client < clients_; ++client) {
    group.lanes.push_back(std::make_unique<Lane>(env_, events_, nodes, client % nodes.size(),
                                                 client, number, depth_));
    group.lanes.back()->dial();
  }
}

bool Fleet::all_tried() const {
  return std::all_of(groups_.begin(), groups_.end(), [](const Group& group) {
    return std::all_of(group.lanes.begin(), group.lanes.end(),
                       [](const auto& lane) { return lane->tried(); });
  });
}

bool Fleet::any_up() const {
  return std::any_of(groups_.begin(), groups_.end(), [](const Group& group) {
    return std::any_of(group.lanes.begin(), group.lanes.end(),
                       [](const auto& lane) { return lane->up(); });
  });
}

bool Fleet::client_up(std::uint32_t client) const {
  return std::any_of(groups_.begin(), groups_.end(),
                     [&](const Group& group) { return group.lanes[client]->up(); });
}

std::size_t Fleet::group_of(std::string_view key) const {
  return slots_.empty() ? 0 : slots_[slot_of_key(key)];
}

Lane* Fleet::of_client(std::uint32_t client, std::size_t group) const {
  Lane* own = groups_[group].lanes[client].get();
  if (own->up()) return own->has_room() ? own : nullptr;
  for (const Group& other : groups_) {
    if (other.lanes[client]->has_room()) return other.lanes[client].get();
  }
  return nullptr;
}

Lane* Fleet::with_room(std::size_t group) {
  Group& own = groups_[group];
  if (Lane* lane = next_roomy(own); lane != nullptr || groups_.size() == 1) return lane;
  if (std::any_of(own.lanes.begin(), own.lanes.end(), [](const auto& l) { return l->up(); })) {
    return nullptr;
  }
  for (Group& other : groups_) {
    if (Lane* lane = next_roomy(other); lane != nullptr) return lane;
  }
  return nullptr;
}

Lane* Fleet::next_roomy(Group& group) {
  while (!group.roomy.empty()) {
    const std::uint32_t client = group.roomy.front();
    group.roomy.pop_front();
    if (Lane* lane = group.lanes[client].get(); lane->has_room()) {
      group.roomy.push_back(client);
      return lane;
    }
    group.is_roomy[client] = false;
  }
  return nullptr;
}

void Fleet::changed(const Lane& lane) {
  Group& group = groups_[lane.group()];
  if (!lane.has_room() || group.is_roomy[lane.client()]) return;
  group.is_roomy[lane.client()] = true;
  group.roomy.push_back(lane.client());
}

void Fleet::expire(MonoTime now, Duration limit) {
  for (const Group& group : groups_) {
    for (const auto& lane : group.lanes) lane->expire(now, limit);
  }
}

void Fleet::stop() {
  for (const Group& group : groups_) {
    for (const auto& lane : group.lanes) lane->stop();
  }
}

}  // namespace stator::bench
