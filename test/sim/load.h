#pragma once

#include <string>
#include <vector>

#include "cluster.h"

namespace stator::test {

/// Clients of a cluster that read and write in turn, each one request at a time through its own
/// node, and what they saw of it.
class Load {
 public:
  struct Options {
    std::vector<unsigned> nodes;  // one or more clients at each
    unsigned clients_per_node = 4;
    Duration pause = milliseconds(4);  // between two requests of a client
    unsigned keys = 200;
    /// A request that fails is sent again, through the next node, for so long. 0: not at all.
    Duration retry_for{};
  };
  Load(Cluster& cluster, Options options);

  /// The doors of a node take clients, or refuse them.
  void set_doors(unsigned node, bool open);
  /// Requests that begin from now on are seen by seen().
  void begin_phase();
  /// No more requests; returns when all are answered.
  void end();

  struct Seen {
    std::size_t answered = 0;
    std::size_t failed = 0;   // reads, and writes that were not ok in the end
    std::size_t retried = 0;  // attempts beyond the first
    double per_second = 0;
    Duration p50{};
    Duration p99{};
    std::string error;  // of one that failed
  };
  [[nodiscard]] Seen seen() const;

 private:
  struct Client {
    unsigned node;
    std::uint64_t random;
    MonoTime began{};
    int number = 0;
  };
  void next(Client& client);
  void attempt(Client& client, unsigned node, const std::string& key, bool write);
  void answered(Client& client, unsigned node, const std::string& key, bool write, bool ok,
                const Error& error);
  void later(Duration delay, std::function<void()> what);

  Cluster& cluster_;
  Options options_;
  std::vector<Client> clients_;
  std::vector<bool> doors_;
  std::size_t open_ = 0;
  bool ended_ = false;
  MonoTime phase_began_{};
  std::vector<Duration> times_;
  std::size_t failed_ = 0;
  std::size_t retried_ = 0;
  std::string error_;
};

}  // namespace stator::test
