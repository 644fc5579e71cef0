#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "cli/bench/lane.h"
#include "cli/bench/slot_map.h"
#include "env/env.h"

namespace stator::bench {

/// The connections of all clients, and which of them takes an operation. Without slots each client
/// has one, dealt out to the nodes in turn, and all are one group. With slots each client has one
/// to every node, as clients of a cluster have, a node's connections are a group, and a key goes to
/// the group of the node that is published for it; every node takes every key, so while that one
/// cannot be reached another does. On the loop; lives until it has ended.
class Fleet {
 public:
  Fleet(env::Env& env, LaneEvents& events, std::uint32_t clients, std::uint32_t depth)
      : env_(env), events_(events), clients_(clients), depth_(depth) {}

  /// Without slots: dials.
  void connect(const std::vector<env::Address>& nodes);
  /// With slots: dials the nodes that were not known. Groups of nodes that are gone stay.
  void set_slots(const SlotMap& map);

  [[nodiscard]] std::size_t groups() const { return groups_.size(); }
  [[nodiscard]] bool all_tried() const;
  [[nodiscard]] bool any_up() const;
  [[nodiscard]] bool client_up(std::uint32_t client) const;
  [[nodiscard]] std::size_t group_of(std::string_view key) const;

  /// Closed loop: the connection of `client` that `group` gets an operation by; nullptr when none
  /// of the client's is up and has room.
  [[nodiscard]] Lane* of_client(std::uint32_t client, std::size_t group) const;
  /// Open loop: any connection of the group that has room, in turn; of another group if none of
  /// this one is up; nullptr when there is none.
  [[nodiscard]] Lane* with_room(std::size_t group);
  /// To be called when a lane came up, went down, or an operation of it ended.
  void changed(const Lane& lane);

  void expire(MonoTime now, Duration limit);
  void stop();

 private:
  struct Group {
    env::Address node;                         // with slots
    std::vector<std::unique_ptr<Lane>> lanes;  // by client
    // Clients whose lane had room when this was last looked at, the next one first. Finding one
    // must not cost more when hardly any has: then the generator would be what is overloaded.
    std::deque<std::uint32_t> roomy;
    std::vector<bool> is_roomy;  // by client: among these
  };

  void add_group(const std::vector<env::Address>& nodes);
  [[nodiscard]] static Lane* next_roomy(Group& group);

  env::Env& env_;
  LaneEvents& events_;
  const std::uint32_t clients_;
  const std::uint32_t depth_;
  std::deque<Group> groups_;
  std::vector<std::uint16_t> slots_;  // group by slot; empty without slots
};

}  // namespace stator::bench
