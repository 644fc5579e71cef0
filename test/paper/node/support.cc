#include "support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include <numeric>
#include <string_view>

namespace stator::test {

bool full_size() {
  const char* value = std::getenv("STATOR_FULL");
  return value != nullptr && std::string_view(value) == "1";
}

std::vector<std::string> sorted(std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  return values;
}

unsigned outsider(Cluster& cluster, const std::string& key) {
  const std::vector<unsigned> owners = cluster.owners(key);
  unsigned node = 0;
  while (std::find(owners.begin(), owners.end(), node) != owners.end()) ++node;
  STATOR_ASSERT(node < cluster.size());
  return node;
}

std::string key_owned_by(Cluster& cluster, const std::vector<unsigned>& owners,
                         const std::string& salt) {
  for (unsigned i = 0; i < 100'000; ++i) {
    const std::string key = salt + std::to_string(i);
    if (cluster.owners(key) == owners) return key;
  }
  ADD_FAILURE() << "no partition has these owners in this order";
  return salt;
}

double Latencies::quantile(double share) const {
  STATOR_ASSERT(!all_.empty());
  std::vector<double> ordered = all_;
  std::sort(ordered.begin(), ordered.end());
  const auto at = static_cast<std::size_t>(share * static_cast<double>(ordered.size()));
  return ordered[std::min(at, ordered.size() - 1)];
}

double Latencies::mean() const {
  return std::accumulate(all_.begin(), all_.end(), 0.0) / static_cast<double>(all_.size());
}

Duration timed_get(Cluster& cluster, unsigned node, const std::string& key, std::uint8_t r) {
  const MonoTime begin = cluster.world().now();
  Duration took{-1};
  cluster.read_then(node, key, {.r = r}, [&](const ReadAnswer& answer) {
    EXPECT_TRUE(answer.ok) << to_string(answer.error.code);
    took = cluster.world().now() - begin;
  });
  EXPECT_TRUE(cluster.run_until([&] { return took.ns >= 0; }));
  return took;
}

Duration timed_put(Cluster& cluster, unsigned node, const std::string& key, std::uint8_t w) {
  const MonoTime begin = cluster.world().now();
  Duration took{-1};
  cluster.write_then(node, key, "value", nullptr, node::WriteKind::kWithContext, {.w = w}, {},
                     false, [&](const WriteAnswer& answer) {
                       EXPECT_EQ(answer.outcome, Outcome::kOk) << to_string(answer.error.code);
                       took = cluster.world().now() - begin;
                     });
  EXPECT_TRUE(cluster.run_until([&] { return took.ns >= 0; }));
  return took;
}

void set_delay(Cluster& cluster, unsigned a, unsigned b, Duration one_way, Duration jitter_mean) {
  sim::NetworkFaults faults;
  faults.delay_min = one_way;
  faults.delay_mean = jitter_mean;
  faults.tail = 0;
  sim::Wire& wire = cluster.world().wire();
  wire.set_faults(cluster.host(a).index(), cluster.host(b).index(), faults);
  wire.set_faults(cluster.host(b).index(), cluster.host(a).index(), faults);
}

}  // namespace stator::test
