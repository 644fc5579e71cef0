#pragma once

#include <string>
#include <vector>

#include "cluster.h"

// What the tests of this folder share: a cluster of real nodes in the simulated world, looked at
// from outside as the paper looks at its clusters.

namespace stator::test {

/// STATOR_FULL=1: the figures at the size that is claimed; else about a twentieth.
[[nodiscard]] bool full_size();

[[nodiscard]] std::vector<std::string> sorted(std::vector<std::string> values);
/// A node that is no owner of the key; there must be one.
[[nodiscard]] unsigned outsider(Cluster& cluster, const std::string& key);
/// A key whose owners, in preference order, are these nodes. `salt` makes different ones.
[[nodiscard]] std::string key_owned_by(Cluster& cluster, const std::vector<unsigned>& owners,
                                       const std::string& salt = "k");

/// Latencies of one kind of request, in milliseconds.
class Latencies {
 public:
  void add(Duration one) { all_.push_back(static_cast<double>(one.ns) / 1e6); }
  /// The value below which `share` (0 to 1) of them lie.
  [[nodiscard]] double quantile(double share) const;
  [[nodiscard]] double median() const { return quantile(0.5); }
  [[nodiscard]] double mean() const;
  [[nodiscard]] std::size_t count() const { return all_.size(); }

 private:
  std::vector<double> all_;
};

/// Runs one get, or one put without context, to its end and returns how long it took; a failure
/// fails the test.
Duration timed_get(Cluster& cluster, unsigned node, const std::string& key, std::uint8_t r);
Duration timed_put(Cluster& cluster, unsigned node, const std::string& key, std::uint8_t w);

/// Sets the delay of both directions between two nodes: `one_way` plus a little jitter.
void set_delay(Cluster& cluster, unsigned a, unsigned b, Duration one_way,
               Duration jitter_mean = {});

}  // namespace stator::test
