#include "node/topology.h"

#include <algorithm>
#include <map>
#include <string>

namespace stator::node {

int Topology::index_of(NodeId id) const {
  const auto at = std::lower_bound(members.begin(), members.end(), id,
                                   [](const Member& m, NodeId wanted) { return m.id < wanted; });
  if (at == members.end() || at->id != id) return -1;
  return static_cast<int>(at - members.begin());
}

std::shared_ptr<const Topology> make_topology(History history, NodeId self) {
  auto topology = std::make_shared<Topology>();
  topology->self = self;
  topology->members = history.members();
  std::sort(topology->members.begin(), topology->members.end(),
            [](const Member& a, const Member& b) { return a.id < b.id; });
  std::map<std::string, std::uint8_t> zone_numbers;
  std::vector<RingMember> ring_members;
  for (const Member& member : topology->members) {
    const auto number = static_cast<std::uint8_t>(zone_numbers.size());
    topology->zones.push_back(zone_numbers.try_emplace(member.zone, number).first->second);
    ring_members.push_back({member.id, member.name, member.zone, member.weight});
  }
  if (!history.empty()) {
    topology->ring = std::make_shared<const Ring>(history.founding().q, history.founding().n,
                                                  std::move(ring_members));
  }
  topology->history = std::move(history);
  topology->member = topology->index_of(self) >= 0;
  return topology;
}

}  // namespace stator::node
