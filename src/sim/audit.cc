#include "sim/audit.h"

#include <set>
#include <utility>

#include "core/version/object_codec.h"
#include "node/metrics.h"
#include "sim/server.h"

namespace stator::sim {
namespace {

constexpr std::uint32_t kOpenMax = 64;
constexpr Duration kLimit = seconds(5);   // for one key
constexpr Duration kSettle = seconds(2);  // repairs after the answers
constexpr std::size_t kProblemsMax = 10;
constexpr std::uint32_t kPassesMax = 20;  // until no repair is left out

}  // namespace

Audit::Audit(World& world, std::vector<std::uint32_t> nodes, OperationLog& log, std::uint8_t n)
    : world_(world),
      nodes_(std::move(nodes)),
      log_(log),
      n_(n),
      keys_(static_cast<std::uint32_t>(log.keys().size())),
      lives_(keys_, false) {}

void Audit::problem(std::string what) {
  if (problems_.size() < kProblemsMax) problems_.push_back(std::move(what));
}

node::Store& Audit::store_of(std::uint32_t host, unsigned shard) {
  return static_cast<Server*>(world_.host(host).process()->program())->store(shard);
}

std::uint64_t Audit::writes_so_far() {
  std::uint64_t sum = 0;
  for (const std::uint32_t host : nodes_) {
    const node::Metrics metrics = store_of(host, 0).metrics();
    sum +=
        metrics.replica_writes_total + metrics.storage_batches_total + metrics.read_repairs_total;
  }
  return sum;
}

std::uint64_t Audit::left_out_so_far() {
  std::uint64_t sum = 0;
  for (const std::uint32_t host : nodes_) {
    sum += store_of(host, 0).metrics().background_left_out_total;
  }
  return sum;
}

// Repair is background work, and left out where its budget is spent (D16): of a disk that was lost,
// reads of so many keys at once do not bring all back.
std::uint32_t Audit::read_until_repaired() {
  std::uint32_t passes = 0;
  std::uint64_t left_out = 0;
  do {
    left_out = left_out_so_far();
    pass(Step::kRead, passes++);
  } while (left_out_so_far() != left_out && passes < kPassesMax);
  return passes;
}

void Audit::run() {
  const std::uint64_t before = writes_so_far();
  const std::uint32_t passes = read_until_repaired();
  const std::uint64_t repaired = writes_so_far();
  repaired_writes_ = repaired - before;
  pass(Step::kRead, passes);
  if (writes_so_far() != repaired) {
    problem("I13: reading all keys again, when their owners agreed, wrote " +
            std::to_string(writes_so_far() - repaired) + " times");
  }
  pass(Step::kExplain, passes + 1);
  if (problems_.empty()) walk();
}

void Audit::walk() {
  struct Walk {
    bool answered = false;
    node::ScanResult result;
    std::set<std::pair<std::string, std::string>> keys;
  } walk;
  Process& process = *world_.host(nodes_.front()).process();
  do {
    walk.answered = false;
    process.loop().schedule(world_.now(), EventKind::kTask, [this, &walk] {
      store_of(nodes_.front(), 0)
          .scan({.cursor = walk.result.next, .count = 100},
                [&walk](const Result<node::ScanResult>& result) {
                  walk.answered = result.has_value();
                  if (result) walk.result = *result;
                });
    });
    const MonoTime limit = world_.now() + kLimit;
    while (!walk.answered && world_.now() < limit) world_.run_for(milliseconds(1));
    if (!walk.answered) {
      problem("I15: a step of a walk over all keys had no answer");
      return;
    }
    for (node::ScannedKey& key : walk.result.keys) {
      walk.keys.emplace(std::move(key.bucket), std::move(key.key));
    }
  } while (walk.result.next != 0);
  for (std::uint32_t key = 0; key < keys_; ++key) {
    const KeyLog& log = log_.key(key);
    const bool lives = lives_[key];
    if (lives == walk.keys.contains({log.bucket, log.key})) continue;
    problem("I18: a walk over all keys " + std::string(lives ? "missed" : "named") + " key " +
            std::to_string(key) + ", which " + (lives ? "lives" : "does not live"));
  }
}

void Audit::pass(Step step, std::uint32_t shift) {
  step_ = step;
  shift_ = shift;
  next_ = 0;
  begin_more();
  // Keys that were answered make room for others, so that the whole ends unless one does not.
  std::uint32_t seen = next_;
  MonoTime patience = world_.now() + kLimit;
  while (open_ > 0 && world_.now() < patience) {
    world_.run_for(milliseconds(1));
    if (next_ != seen) patience = world_.now() + kLimit;
    seen = next_;
  }
  if (open_ > 0) {
    problem("I15: " + std::to_string(open_) + " questions to healthy nodes had no answer in " +
            std::to_string(kLimit.ms()) + " ms");
    open_ = 0;
  }
  world_.run_for(kSettle);
}

void Audit::begin_more() {
  while (next_ < keys_ && open_ < kOpenMax) {
    ++open_;
    begin(next_++);
  }
}

void Audit::finished() {
  if (open_ > 0) --open_;
  begin_more();
}

void Audit::begin(std::uint32_t key) {
  const std::uint32_t host = nodes_[(key + shift_) % nodes_.size()];
  Process& process = *world_.host(host).process();
  const unsigned shard = (key / static_cast<std::uint32_t>(nodes_.size())) % process.shard_count();
  // From a turn of any process, so that it arrives like an event of the world.
  process.loop(shard).schedule(world_.now(), EventKind::kTask, [this, key, host, shard] {
    if (step_ == Step::kRead) {
      read(key, store_of(host, shard));
    } else {
      explain(key, store_of(host, shard));
    }
  });
}

bool Audit::judge(std::uint32_t key, const char* done, const Error* error) {
  const bool fits = log_.key(key).key.size() <= node::Limits().key_bytes_max;
  const std::string name = "key " + std::to_string(key);
  if (fits && error != nullptr) {
    problem("I15: " + name + " cannot be " + done + ": " + to_string(error->code));
  } else if (!fits && error == nullptr) {
    problem("D35: " + name + ", which is longer than a node takes, was " + done);
  } else if (!fits && error->code != ErrorCode::kTooLarge) {
    problem("D35: " + name + ", which is longer than a node takes, was refused as " +
            to_string(error->code));
  } else {
    return true;
  }
  return false;
}

void Audit::read(std::uint32_t key, node::Store& store) {
  const KeyLog& log = log_.key(key);
  store.read(log.bucket, log.key, {.r = n_}, [this, key](const Result<node::ReadResult>& result) {
    judge(key, "read from all its owners", result ? nullptr : &result.error());
    finished();
  });
}

void Audit::explain(std::uint32_t key, node::Store& store) {
  const KeyLog& log = log_.key(key);
  store.explain(log.bucket, log.key, [this, key](const Result<node::Explanation>& result) {
    const bool right = judge(key, "explained", result ? nullptr : &result.error());
    if (right && result) take(key, *result);
    finished();
  });
}

void Audit::take(std::uint32_t key, const node::Explanation& explanation) {
  KeyLog& log = log_.key(key);
  std::uint8_t owners = 0;
  bool equal = true;
  std::uint64_t digest = 0;
  for (const node::ReplicaView& replica : explanation.replicas) {
    if (!replica.owner) {
      if (replica.answered && replica.digest != 0) {
        problem("I5: " + replica.name + " keeps something of key " + std::to_string(key) +
                " when all is quiet");
      }
      continue;
    }
    if (!replica.answered) {
      problem("I15: an owner of key " + std::to_string(key) + " does not answer: " + replica.error);
    }
    if (owners++ == 0) digest = replica.digest;
    equal = equal && replica.digest == digest;
  }
  if (owners != n_) problem("key " + std::to_string(key) + " does not have N owners");
  if (!equal) {
    problem("I4: the owners of key " + std::to_string(key) + " differ when all is quiet");
  }
  Object merged;
  if (!explanation.merged_bytes.empty() && !decode_object(explanation.merged_bytes, merged)) {
    problem("key " + std::to_string(key) + " holds an object that cannot be decoded");
    return;
  }
  // As a plain read judges it.
  const Version* latest = merged.latest();
  lives_[key] = latest != nullptr && !latest->tombstone;
  log.final_known = true;
  log.final_versions.clear();
  for (const Version& version : merged.versions) {
    log.final_versions.push_back({version.dot, version.write_id,
                                  hash_of_value(version.value, version.tombstone),
                                  version.tombstone});
  }
}

}  // namespace stator::sim
