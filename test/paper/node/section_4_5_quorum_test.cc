// Paper 4.5: R + W > N gives a quorum-like system (V6). With fixed membership and no failure no get
// that begins after a put was acknowledged misses it. 10^6 pairs of put and get with
// STATOR_FULL=1, about 5 % of that else. With R + W <= N some are missed: the count below that
// must not be zero.

#include <gtest/gtest.h>

#include <cstdio>

#include "support.h"

namespace stator::test {
namespace {

/// Clients that each put a value of their own keys through one node, and get it through another as
/// soon as the put is acknowledged.
class Pairs {
 public:
  static constexpr unsigned kNodes = 5;
  static constexpr unsigned kClients = 40;

  Pairs(std::uint64_t seed, std::uint8_t r, std::uint8_t w, std::uint64_t pairs)
      : cluster_(seed, kNodes, 3, r, w),
        random_(cluster_.world().random().fork("pairs")),
        left_(pairs) {
    clients_.resize(kClients);
    for (unsigned i = 0; i < kClients; ++i) begin(i);
    while (busy_ > 0) cluster_.run(milliseconds(10));
  }

  [[nodiscard]] std::uint64_t done() const { return done_; }
  [[nodiscard]] std::uint64_t stale() const { return stale_; }

 private:
  struct Client {
    std::string key;
    std::string value;
    std::vector<Context> contexts = std::vector<Context>(kKeysEach);
    std::size_t at = 0;
  };
  // Many, so that no object gathers more than a few write ids.
  static constexpr std::size_t kKeysEach = 500;

  unsigned any_node() { return static_cast<unsigned>(random_.below(kNodes)); }

  void begin(unsigned i) {
    if (left_ == 0) return;
    --left_;
    ++busy_;
    Client& client = clients_[i];
    client.at = random_.below(kKeysEach);
    client.key = std::to_string(i) + "-" + std::to_string(client.at);
    client.value = std::to_string(left_);
    const Context& context = client.contexts[client.at];
    cluster_.write_then(any_node(), client.key, client.value, context.empty() ? nullptr : &context,
                        node::WriteKind::kWithContext, {}, {}, false,
                        [this, i](WriteAnswer answer) {
                          ASSERT_EQ(answer.outcome, Outcome::kOk);
                          clients_[i].contexts[clients_[i].at] = std::move(answer.context);
                          // Outside of the turn that answered, but at the same moment.
                          cluster_.world().after({}, [this, i] { read(i); });
                        });
  }
  void read(unsigned i) {
    cluster_.read_then(any_node(), clients_[i].key, {}, [this, i](const ReadAnswer& answer) {
      ASSERT_TRUE(answer.ok);
      if (answer.values != std::vector<std::string>{clients_[i].value}) ++stale_;
      ++done_;
      --busy_;
      cluster_.world().after({}, [this, i] { begin(i); });
    });
  }

  Cluster cluster_;
  sim::Random random_;
  std::vector<Client> clients_;
  std::uint64_t left_;
  std::uint64_t busy_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t stale_ = 0;
};

struct Quorums {
  std::uint8_t r;
  std::uint8_t w;
  std::uint64_t pairs;  // of the normal run
};

void expect_none_stale(const Quorums& quorums) {
  const std::uint64_t pairs = quorums.pairs * (full_size() ? 20 : 1);
  const Pairs run(4500U + quorums.r * 10U + quorums.w, quorums.r, quorums.w, pairs);
  std::printf("V6: N=3 R=%d W=%d: %llu of %llu gets after an acknowledged put were stale\n",
              quorums.r, quorums.w, static_cast<unsigned long long>(run.stale()),
              static_cast<unsigned long long>(run.done()));
  EXPECT_EQ(run.done(), pairs);
  EXPECT_EQ(run.stale(), 0U);
}

TEST(Section45, WithRAndWOfTwoNoGetAfterAPutIsStale) {
  expect_none_stale({.r = 2, .w = 2, .pairs = 50'000});
}

TEST(Section45, WithROfOneAndWOfThreeNoGetAfterAPutIsStale) {
  expect_none_stale({.r = 1, .w = 3, .pairs = 5'000});
}

TEST(Section45, WithROfThreeAndWOfOneNoGetAfterAPutIsStale) {
  expect_none_stale({.r = 3, .w = 1, .pairs = 5'000});
}

TEST(Section45, WithRAndWOfOneSomeGetsAreStale) {
  const Pairs run(4511, 1, 1, 20'000);
  std::printf("V6: N=3 R=1 W=1: %llu of %llu stale\n", static_cast<unsigned long long>(run.stale()),
              static_cast<unsigned long long>(run.done()));
  EXPECT_EQ(run.done(), 20'000U);
  EXPECT_GT(run.stale(), 0U);
}

}  // namespace
}  // namespace stator::test
