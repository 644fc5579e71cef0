#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "support.h"

namespace stator::test {

/// How many living versions the gets of one run returned: buckets 0 to 4, then "5 and more".
struct VersionHistogram {
  std::array<std::uint64_t, 6> buckets{};

  void add(std::size_t versions) { ++buckets[std::min(versions, buckets.size() - 1)]; }
  [[nodiscard]] std::uint64_t gets() const;
  [[nodiscard]] double percent(std::size_t bucket) const;
  /// Gets that returned more than one version, of all gets.
  [[nodiscard]] double divergent_percent() const;
  void print(const char* run) const;
};

struct ShopOptions {
  std::uint64_t seed = 1;
  std::uint64_t gets = 0;  // counted ones; the run ends after so many
  bool robots = false;
  bool failures = false;
  unsigned attempts = 2;  // until a request is given up
};

/// The shopping cart service of paper 6.3 on five nodes with (N, R, W) = (3, 2, 2).
///
/// A shopper has a cart of his own, and every few seconds (exponential) gets it, merges the
/// versions that come back, adds an item, and puts it with the context of the get; the eighth item
/// is the check-out, after which the cart is empty. Each request goes through a node that a load
/// balancer chooses at random. A request that failed is tried once more through another node, a put
/// with its write id; then the shopper gives up and comes back later.
///
/// Gets are counted from when every cart was filled once: the paper counts the versions that were
/// seen, and a cart that was never filled has none.
///
/// Robots are 1 % of the clients and make about 1 % of the puts, in attacks: two to five of
/// them choose one of a few shoppers' carts, get it once, and then each puts it ten times as fast
/// as it can, through random nodes, knowing of its own puts only.
///
/// Failures (of one node at a time, for some seconds, a third of the time): it is killed, loses
/// power, stands still, or is cut off from the others.
class Shop {
 public:
  static constexpr unsigned kNodes = 5;
  static constexpr unsigned kShoppers = 495;
  static constexpr unsigned kRobots = 5;

  explicit Shop(const ShopOptions& options);
  void run();

  [[nodiscard]] const VersionHistogram& histogram() const { return histogram_; }
  [[nodiscard]] std::uint64_t puts() const { return shopper_puts_ + robot_puts_; }
  [[nodiscard]] double robot_percent() const;
  /// Attempts that failed or were never answered.
  [[nodiscard]] std::uint64_t failed_attempts() const { return failed_attempts_; }
  [[nodiscard]] std::uint64_t given_up() const { return given_up_; }
  [[nodiscard]] std::uint64_t failures() const { return failures_; }
  /// Gets that did not return what the shopper's last put was acknowledged for. Counted only while
  /// nobody else may have replaced it: without robots.
  [[nodiscard]] std::uint64_t missed() const { return missed_; }

 private:
  struct Client {
    std::string cart;
    Context context;
    std::string value;
    bool stored = false;  // `value` was acknowledged
    bool filled = false;  // a put of this client was acknowledged
    WriteId id{};
    unsigned attempt = 0;     // of the present request
    unsigned node = kNodes;   // asked last
    unsigned puts_left = 0;   // of a robot's attack
    std::uint64_t waits = 0;  // names the present attempt: a late answer or timeout is of another
  };
  enum class Request : std::uint8_t { kGet, kPut };

  [[nodiscard]] bool is_robot(unsigned i) const { return i >= kShoppers; }
  unsigned choose_node(Client& client);
  void after_mean(Duration mean, unsigned i, void (Shop::*next)(unsigned));
  void after_now(unsigned i, void (Shop::*next)(unsigned));

  void visit(unsigned i);
  void get(unsigned i);
  void on_got(unsigned i, ReadAnswer answer);
  void put(unsigned i);
  void on_put(unsigned i, WriteAnswer answer);
  void await(unsigned i, Request request);
  void on_failed(unsigned i, Request request);
  void leave(unsigned i);
  void attack();
  void next_failure();
  void fail_node(unsigned node);

  ShopOptions options_;
  Cluster cluster_;
  sim::Random random_;
  std::vector<Client> clients_;
  VersionHistogram histogram_;
  unsigned carts_filled_ = 0;
  std::uint64_t shopper_puts_ = 0;
  std::uint64_t robot_puts_ = 0;
  std::uint64_t failed_attempts_ = 0;
  std::uint64_t given_up_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t missed_ = 0;
};

}  // namespace stator::test
