#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "env/network.h"

namespace stator::env {

enum class ListenKind : std::uint8_t { kStreams, kFrames };

/// A shard's part in a listening socket.
struct ListenMember {
  unsigned shard = 0;
  std::uint64_t listener = 0;  // its number in that shard's network
};

/// Which shards share which listening socket: the first to ask for an address binds it, the others
/// join, and its connections are dealt out to all in turn. Shared by the shards of one runtime;
/// thread-safe.
class ListenRegistry {
 public:
  using GroupId = std::uint64_t;

  struct Joined {
    GroupId group = 0;
    Address bound;
  };
  /// Joins the socket that another shard has at `asked`. Empty when there is none, or this shard
  /// has its part already: then bind, and found() it.
  [[nodiscard]] std::optional<Joined> join(ListenKind kind, const Address& asked,
                                           ListenMember member);
  [[nodiscard]] GroupId found(ListenKind kind, const Address& asked, const Address& bound,
                              ListenMember member);

  /// Takes a part back. When it was the last one, the group ends and the result is the shard that
  /// bound the socket and shall close it.
  [[nodiscard]] std::optional<unsigned> leave(GroupId group, ListenMember member);

  /// Whose turn the next connection is; empty when all have left.
  [[nodiscard]] std::optional<ListenMember> next(GroupId group);

  /// Held while a shard looks for a socket to join and binds one if there is none.
  [[nodiscard]] std::unique_lock<std::mutex> lock_binding() { return std::unique_lock(binding_); }

 private:
  struct Group {
    GroupId id = 0;
    ListenKind kind{};
    Address asked;
    Address bound;
    unsigned binder = 0;
    std::vector<ListenMember> members;
    std::size_t next = 0;
  };
  [[nodiscard]] Group* find(GroupId group);

  std::mutex binding_;
  std::mutex mutex_;
  std::vector<Group> groups_;  // under mutex_, as last_id_
  GroupId last_id_ = 0;
};

}  // namespace stator::env
