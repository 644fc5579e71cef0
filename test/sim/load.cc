#include "load.h"

#include <algorithm>

#include "base/hash.h"

namespace stator::test {
namespace {

constexpr Duration kRetryPause = milliseconds(20);

}  // namespace

Load::Load(Cluster& cluster, Options options)
    : cluster_(cluster), options_(std::move(options)), doors_(cluster.size(), true) {
  for (const unsigned node : options_.nodes) {
    for (unsigned i = 0; i < options_.clients_per_node; ++i) {
      clients_.push_back({.node = node, .random = mix64(clients_.size() + 1)});
    }
  }
  begin_phase();
  for (Client& client : clients_) next(client);
}

void Load::later(Duration delay, std::function<void()> what) {
  auto held = std::make_unique<std::function<void()>>(std::move(what));
  cluster_.world().after(delay, [held = std::move(held)] { (*held)(); });
}

void Load::next(Client& client) {
  if (ended_) return;
  ++open_;
  ++client.number;
  client.random = mix64(client.random);
  client.began = cluster_.world().now();
  const std::string key = "k" + std::to_string(client.random % options_.keys);
  attempt(client, client.node, key, client.number % 2 == 0);
}

void Load::attempt(Client& client, unsigned node, const std::string& key, bool write) {
  // A real client is refused by the port of a process that is not there.
  if (!doors_[node] || !cluster_.runs(node)) return answered(client, node, key, write, false, {});
  if (write) {
    cluster_.write_then(
        node, key, "v" + std::to_string(client.number), nullptr, node::WriteKind::kOverAll, {}, {},
        false, [this, &client, node, key](const WriteAnswer& answer) {
          answered(client, node, key, true, answer.outcome == Outcome::kOk, answer.error);
        });
  } else {
    cluster_.read_then(node, key, {}, [this, &client, node, key](const ReadAnswer& answer) {
      answered(client, node, key, false, answer.ok, answer.error);
    });
  }
}

void Load::answered(Client& client, unsigned node, const std::string& key, bool write, bool ok,
                    const Error& error) {
  const Duration took = cluster_.world().now() - client.began;
  if (!ok && took < options_.retry_for) {
    ++retried_;
    const auto at = std::find(options_.nodes.begin(), options_.nodes.end(), node);
    const auto following =
        std::next(at) == options_.nodes.end() ? options_.nodes.begin() : std::next(at);
    later(kRetryPause,
          [=, this, &client, next_node = *following] { attempt(client, next_node, key, write); });
    return;
  }
  --open_;
  later(options_.pause, [this, &client] { next(client); });
  if (client.began < phase_began_) return;
  times_.push_back(took);
  if (!ok) {
    ++failed_;
    error_ = std::string(to_string(error.code)) + (write ? " of a write" : " of a read") +
             " through node " + std::to_string(node) + " after " + std::to_string(took.ms()) +
             " ms";
  }
}

void Load::set_doors(unsigned node, bool open) {
  doors_[node] = open;
}

void Load::begin_phase() {
  phase_began_ = cluster_.world().now();
  times_.clear();
  failed_ = retried_ = 0;
  error_.clear();
}

void Load::end() {
  ended_ = true;
  const bool idle = cluster_.run_until([this] { return open_ == 0; });
  STATOR_ASSERT(idle);
  cluster_.run(options_.pause * 2);  // what still wants to begin sees that it may not
}

Load::Seen Load::seen() const {
  Seen seen;
  seen.answered = times_.size();
  seen.failed = failed_;
  seen.retried = retried_;
  seen.error = error_;
  const Duration time = cluster_.world().now() - phase_began_;
  seen.per_second = static_cast<double>(times_.size()) * 1e9 / static_cast<double>(time.ns);
  if (times_.empty()) return seen;
  std::vector<Duration> sorted = times_;
  std::sort(sorted.begin(), sorted.end());
  seen.p50 = sorted[sorted.size() / 2];
  seen.p99 = sorted[sorted.size() * 99 / 100];
  return seen;
}

}  // namespace stator::test
