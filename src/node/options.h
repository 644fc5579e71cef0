#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/membership/history.h"
#include "env/network.h"
#include "node/disk_keeper.h"
#include "node/observer.h"
#include "node/store.h"
#include "storage/engine.h"

namespace stator::node {

/// Beyond these no setting goes, and peers are held to them; for values it is kValueBytesHardMax.
inline constexpr std::size_t kKeyBytesHardMax = 64 << 10;
inline constexpr std::size_t kContentTypeBytesMax = 255;

/// What stands behind a write that is acknowledged (paper 6.1, design 4.6), as the node that
/// coordinates it has it. With kAll a node also syncs every copy that it keeps for others.
enum class Durability : std::uint8_t {
  kAll,  // a copy counts when it is on its node's disk
  kOne,  // copies count when an engine has them; one of them is asked to be on a disk soon
  kNone  // copies count when an engine has them
};

/// What one node is started with; filled by `serve` from flags and TOML, or by the simulator.
struct NodeOptions {
  std::string name;
  std::string zone;
  double weight = 1;
  std::string data_directory;
  storage::EngineOptions engine;  // an empty name: what the directory has, else the default;
                                  // directory is set by the node
  env::Address peer_listen;
  /// As announced to peers and clients; empty host: the listening address.
  env::Address redis_announced;
  env::Address http_announced;
  env::Address peer_announced;
  /// Set when the command line founds a cluster; ignored by a node that is a member already, except
  /// that another cluster id is refused.
  bool found = false;
  Founding founding;

  /// Of the disk under the data directory; for engines that keep something there.
  DiskOptions disk;

  Durability durability = Durability::kAll;
  Duration request_timeout = seconds(2);
  Duration request_timeout_max = seconds(60);
  Duration hedge_after = milliseconds(50);
  Duration ping_interval = milliseconds(500);
  /// A peer that was asked and has said nothing for this long is avoided for new work (D32).
  Duration silence_max = milliseconds(600);
  /// Share of reads after which the owners not asked are asked for a digest (design 4.4), in
  /// millionths.
  std::uint32_t read_repair_share_ppm = 10'000;
  std::size_t operations_max = 100'000;
  /// What background work may cost at most (design 4.7); each shard has its share of it.
  std::uint64_t background_bytes_per_second = 64ULL << 20;
  /// Hints beyond what W asks for are left out while this node keeps more bytes of hints (D15).
  std::uint64_t hint_bytes_max = 4ULL << 30;
  Limits limits;

  /// As told to peers. This layer does not know it.
  std::string program_version;

  Observer* observer = nullptr;
  /// What stands between the shards and the engine that was opened: the simulator's, which lets
  /// records rot. Empty in production.
  std::function<std::unique_ptr<storage::EngineHome>(std::unique_ptr<storage::EngineHome>)>
      wrap_engine{};
};

}  // namespace stator::node
