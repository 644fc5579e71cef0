#include "shop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <sstream>
#include <utility>

namespace stator::test {
namespace {

constexpr Duration kVisitMean = seconds(5);
constexpr std::size_t kItemsMax = 8;
// A client gives an attempt up a little after the node would have.
constexpr Duration kPatience = milliseconds(2500);
constexpr Duration kAttackMean = seconds(35);
constexpr unsigned kPutsPerAttack = 10;
constexpr std::uint64_t kAttackedCarts = 8;
constexpr Duration kFailureEvery = seconds(15);
constexpr Duration kFailureMin = seconds(2);
constexpr Duration kFailureMax = seconds(8);

std::string with_one_more(const std::vector<std::string>& versions, const std::string& item) {
  std::set<std::string> items;
  for (const std::string& version : versions) {
    std::istringstream in(version);
    for (std::string one; in >> one;) items.insert(one);
  }
  items.insert(item);
  std::string cart;
  if (items.size() >= kItemsMax) return cart;
  for (const std::string& one : items) cart += one + " ";
  return cart;
}

}  // namespace

std::uint64_t VersionHistogram::gets() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t bucket : buckets) sum += bucket;
  return sum;
}

double VersionHistogram::percent(std::size_t bucket) const {
  return 100.0 * static_cast<double>(buckets[bucket]) / static_cast<double>(gets());
}

double VersionHistogram::divergent_percent() const {
  double sum = 0;
  for (std::size_t bucket = 2; bucket < buckets.size(); ++bucket) sum += percent(bucket);
  return sum;
}

void VersionHistogram::print(const char* run) const {
  std::printf("V27: %s, %llu gets:\n", run, static_cast<unsigned long long>(gets()));
  for (std::size_t bucket = 0; bucket < buckets.size(); ++bucket) {
    std::printf("V27:   %zu%s version%s %9llu  %9.5f %%\n", bucket,
                bucket + 1 == buckets.size() ? "+" : " ", bucket == 1 ? " " : "s",
                static_cast<unsigned long long>(buckets[bucket]), percent(bucket));
  }
}

Shop::Shop(const ShopOptions& options)
    : options_(options),
      cluster_(options.seed, kNodes),
      random_(cluster_.world().random().fork("shop")),
      clients_(kShoppers + kRobots) {
  for (unsigned i = 0; i < kShoppers; ++i) {
    clients_[i].cart = "cart" + std::to_string(i);
    after_mean(kVisitMean, i, &Shop::visit);
  }
  if (options_.robots)
    cluster_.world().after(random_.exponential(kAttackMean), [this] { attack(); });
  if (options_.failures) cluster_.world().after(kFailureEvery, [this] { next_failure(); });
}

void Shop::run() {
  while (histogram_.gets() < options_.gets) cluster_.run(milliseconds(100));
}

double Shop::robot_percent() const {
  return 100.0 * static_cast<double>(robot_puts_) / static_cast<double>(puts());
}

// A balancer sends nothing to a machine on which nothing listens, and a client that was failed by
// one node tries another.
unsigned Shop::choose_node(Client& client) {
  for (;;) {
    const auto node = static_cast<unsigned>(random_.below(kNodes));
    if (!cluster_.runs(node) || (client.attempt > 1 && node == client.node)) continue;
    return client.node = node;
  }
}

void Shop::after_mean(Duration mean, unsigned i, void (Shop::*next)(unsigned)) {
  cluster_.world().after(random_.exponential(mean), [this, i, next] { (this->*next)(i); });
}

// Outside of the turn in which a node answered.
void Shop::after_now(unsigned i, void (Shop::*next)(unsigned)) {
  cluster_.world().after({}, [this, i, next] { (this->*next)(i); });
}

void Shop::visit(unsigned i) {
  clients_[i].attempt = 0;
  get(i);
}

void Shop::get(unsigned i) {
  Client& client = clients_[i];
  ++client.attempt;
  await(i, Request::kGet);
  cluster_.read_then(choose_node(client), client.cart, {},
                     [this, i, wait = client.waits](ReadAnswer answer) {
                       if (clients_[i].waits == wait) on_got(i, std::move(answer));
                     });
}

void Shop::on_got(unsigned i, ReadAnswer answer) {
  Client& client = clients_[i];
  ++client.waits;
  if (!answer.ok) return on_failed(i, Request::kGet);
  if (carts_filled_ == kShoppers) histogram_.add(answer.values.size());
  const std::vector<std::string>& values = answer.values;
  if (client.stored && !options_.robots &&
      std::ranges::find(values, client.value) == values.end()) {
    ++missed_;
  }
  client.stored = false;
  client.context = std::move(answer.context);
  client.value = with_one_more(answer.values, std::to_string(random_.below(1'000'000)));
  client.attempt = 0;
  after_now(i, &Shop::put);
}

void Shop::put(unsigned i) {
  Client& client = clients_[i];
  ++client.attempt;
  if (client.attempt == 1) {
    ++(is_robot(i) ? robot_puts_ : shopper_puts_);
    const WallTime now = cluster_.host(0).clock().wall(cluster_.world().now());
    client.id = WriteId::make(static_cast<std::uint64_t>(now.ms()), WriteId::kRetryable,
                              random_.next(), random_.next());
  }
  await(i, Request::kPut);
  cluster_.write_then(choose_node(client), client.cart, client.value, &client.context,
                      node::WriteKind::kWithContext, {}, client.id, false,
                      [this, i, wait = client.waits](WriteAnswer answer) {
                        if (clients_[i].waits == wait) on_put(i, std::move(answer));
                      });
}

void Shop::on_put(unsigned i, WriteAnswer answer) {
  Client& client = clients_[i];
  ++client.waits;
  if (answer.outcome != Outcome::kOk) return on_failed(i, Request::kPut);
  client.attempt = 0;
  client.stored = true;
  if (!is_robot(i)) {
    if (!std::exchange(client.filled, true)) ++carts_filled_;
    return leave(i);
  }
  if (--client.puts_left == 0) return;
  client.context = std::move(answer.context);
  after_now(i, &Shop::put);
}

void Shop::await(unsigned i, Request request) {
  cluster_.world().after(kPatience, [this, i, request, wait = clients_[i].waits] {
    if (clients_[i].waits != wait) return;
    ++clients_[i].waits;
    on_failed(i, request);
  });
}

void Shop::on_failed(unsigned i, Request request) {
  ++failed_attempts_;
  if (clients_[i].attempt < options_.attempts) {
    after_now(i, request == Request::kGet ? &Shop::get : &Shop::put);
    return;
  }
  ++given_up_;
  clients_[i].puts_left = 0;
  if (!is_robot(i)) leave(i);
}

void Shop::leave(unsigned i) {
  after_mean(kVisitMean, i, &Shop::visit);
}

void Shop::attack() {
  const std::string cart = clients_[random_.below(kAttackedCarts)].cart;
  const auto pack = 2 + static_cast<unsigned>(random_.below(kRobots - 1));
  for (unsigned i = kShoppers; i < kShoppers + pack; ++i) {
    if (clients_[i].puts_left > 0) continue;  // not through with the last one yet
    clients_[i].cart = cart;
    clients_[i].puts_left = kPutsPerAttack;
    visit(i);
  }
  cluster_.world().after(random_.exponential(kAttackMean), [this] { attack(); });
}

void Shop::next_failure() {
  ++failures_;
  fail_node(static_cast<unsigned>(random_.below(kNodes)));
  cluster_.world().after(kFailureEvery, [this] { next_failure(); });
}

void Shop::fail_node(unsigned node) {
  const Duration time = random_.between(kFailureMin, kFailureMax);
  sim::Host& host = cluster_.host(node);
  switch (random_.below(4)) {
    case 0:
      host.kill();
      cluster_.world().after(time, [this, node] { cluster_.start(node); });
      break;
    case 1:
      host.crash();
      cluster_.world().after(time, [this, node] { cluster_.start(node); });
      break;
    case 2:
      host.pause();
      cluster_.world().after(time, [&host] { host.resume(); });
      break;
    default:
      cluster_.set_isolated(node, true);
      cluster_.world().after(time, [this, node] { cluster_.set_isolated(node, false); });
      break;
  }
}

}  // namespace stator::test
