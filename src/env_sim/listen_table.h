#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "env/network.h"

namespace stator::sim {

class SimListener;

/// Which shards of one process listen where: the first to ask for an address binds it, the others
/// join, and its connections are dealt out to all in turn (env/network.h).
class ListenTable {
 public:
  enum class Kind : std::uint8_t { kStreams, kFrames };

  /// Where a listener of `shard` that asks for this address listens: what another shard has bound
  /// for it, else the address itself, or one with a port that is free where it asks for port 0.
  /// kConflict when the port is taken. To be followed by add().
  [[nodiscard]] Result<env::Address> bind(Kind kind, const env::Address& asked, unsigned shard);
  void add(Kind kind, const env::Address& asked, SimListener& listener);
  void remove(const SimListener& listener);

  [[nodiscard]] bool listens(Kind kind, std::uint16_t port) const;
  /// Whose turn the next connection is; nullptr when nobody listens there.
  [[nodiscard]] SimListener* next(Kind kind, std::uint16_t port);

 private:
  struct Group {
    Kind kind{};
    env::Address asked;
    env::Address bound;
    std::vector<SimListener*> members;  // not empty
    std::size_t next = 0;
  };

  std::vector<Group> groups_;
  std::uint16_t next_port_ = 40'000;
};

}  // namespace stator::sim
