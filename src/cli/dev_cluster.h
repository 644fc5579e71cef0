#pragma once

#include <sys/types.h>

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/child_process.h"

namespace stator::cli {

/// What `stator dev` was asked for.
struct DevOptions {
  std::uint64_t nodes = 3;
  std::string data_dir;
  std::uint64_t base_port = 7400;
  std::string engine;
  bool keep = false;
};

/// One node of it: node k (from 1) has the ports base+10k, +1 and +2.
struct DevNode {
  std::string name;
  std::uint16_t redis_port = 0;
  std::uint16_t http_port = 0;
  std::uint16_t peer_port = 0;
  std::string directory;
  std::string log;
  std::vector<std::string> command;   // that starts it, and starts it again
  std::vector<ChildProcess> process;  // none or one
  bool reported = false;              // that it ended
};

/// What the cluster was founded with whose data a directory holds: its members and their ports are
/// fixed.
struct DevFounding {
  std::uint64_t nodes = 0;
  std::uint64_t base_port = 0;
};
/// Nothing where there is no such data, or none that can be read: then its nodes say what is wrong.
[[nodiscard]] std::optional<DevFounding> founded_in(const std::string& data_dir);

/// A node that somebody has started again by hand and that still runs.
struct StrayNode {
  std::string name;
  pid_t pid = 0;  // 0: its directory does not say
};

/// A whole cluster on loopback: one `stator serve` of one shard per node.
class DevCluster {
 public:
  /// Nothing is started yet. kConflict names every port that is in use.
  [[nodiscard]] static Result<DevCluster> plan(const DevOptions& options, std::string program);

  /// Starts all and waits until each serves. The error has the last words of the one that did not.
  [[nodiscard]] Result<void> start();
  /// Writes one key through the first node until that is acknowledged.
  [[nodiscard]] Result<void> write_once(MonoTime deadline);
  /// Waits until each node reaches enough of the others; gives up quietly at `deadline`.
  void settle(MonoTime deadline) const;

  /// Prints those that ended since the last call, each with the line that starts it again.
  void report_ended(std::ostream& out);
  /// Asks all to stop, waits, and ends what does not within ten seconds.
  void stop();
  /// Once it is stopped.
  [[nodiscard]] std::vector<StrayNode> restarted_by_hand() const;

  [[nodiscard]] const std::vector<DevNode>& nodes() const { return nodes_; }
  [[nodiscard]] std::uint64_t replicas() const { return replicas_; }
  [[nodiscard]] std::uint64_t quorum() const { return replicas_ / 2 + 1; }

 private:
  std::vector<DevNode> nodes_;
  std::uint64_t replicas_ = 0;
};

/// `command` as one would type it in this directory.
[[nodiscard]] std::string command_text(const std::vector<std::string>& command);

}  // namespace stator::cli
