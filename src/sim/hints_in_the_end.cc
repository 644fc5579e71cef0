#include "sim/hints_in_the_end.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include "node/hint_place.h"

namespace stator::sim {
namespace {

constexpr Duration kHints = seconds(120);  // at most, until the last hint is delivered (G22)

class Counter final : public storage::ScanVisitor {
 public:
  void visit(std::string_view, std::string_view) override { ++seen; }
  std::uint64_t seen = 0;
};

}  // namespace

std::string await_hints(World& world, Nodes& nodes) {
  const MonoTime limit = world.now() + kHints;
  for (;;) {
    std::uint64_t pending = 0;
    bool counting = false;
    for (const std::uint32_t host : nodes.hosts()) {
      const node::NodeStatus status = nodes.server(host).store(0).status();
      counting = counting || status.hints_counting;
      for (const node::HintsView& hints : status.hints) pending += hints.pending;
    }
    if (pending == 0 && !counting) break;
    if (world.now() >= limit) {
      return "I6: " + std::to_string(pending) + " hints wait for owners that are all there" +
             (counting ? ", and some are not counted yet" : "");
    }
    world.run_for(milliseconds(100));
  }
  // What other shards count is published now and then.
  world.run_for(seconds(1));
  return {};
}

std::vector<std::string> find_stray_hints(World& world, Nodes& nodes) {
  std::vector<std::string> problems;
  for (const std::uint32_t host : nodes.hosts()) {
    Counter counter;
    Server& server = nodes.server(host);
    for (std::uint32_t range = 0; range < nodes.founding().q; ++range) {
      node::Shard& shard = server.node().shard(range % server.shards());
      storage::Engine& engine = shard.context().records->engine();
      std::string after;
      do {
        auto next = engine.scan(node::hint_partition({range}), after, {}, counter);
        if (!next) {
          problems.push_back("I5: the hints of range " + std::to_string(range) + " cannot be read");
          break;
        }
        after = std::move(*next);
      } while (!after.empty());
    }
    if (counter.seen > 0) {
      problems.push_back("I5: " + std::to_string(counter.seen) + " hints stand at " +
                         world.host(host).name() + ", of which it knows nothing");
    }
  }
  return problems;
}

}  // namespace stator::sim
