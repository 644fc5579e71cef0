#include "sim/workload.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "node/store.h"

namespace stator::sim {
namespace {

constexpr std::size_t kLargeValueMax = 64 * 1024;
// Few: each costs as much as thousands of others, and stays until it is written over.
constexpr double kHugeSparse = 0.002;
constexpr double kHugeDense = 0.00002;
// Of these, as large as a node takes them and a byte larger: so many each.
constexpr double kEdgeValues = 0.25;
// At least so many of the writes with an id, where copies come late.
constexpr double kLateDuplicates = 0.02;
// Long enough for faults to come and go many times while the keys are busy.
constexpr Duration kDenseMax = seconds(120);

double log_uniform(Random& random, double low, double high) {
  return low * std::pow(high / low, random.fraction());
}

}  // namespace

const char* to_string(OperationKind kind) {
  switch (kind) {
    case OperationKind::kGet: return "GET";
    case OperationKind::kSet: return "SET";
    case OperationKind::kDel: return "DEL";
    case OperationKind::kStGet: return "ST.GET";
    case OperationKind::kStPut: return "ST.PUT";
    case OperationKind::kStPutStale: return "ST.PUT (stale)";
    case OperationKind::kStPutBlind: return "ST.PUT (blind)";
    case OperationKind::kStDel: return "ST.DEL";
    case OperationKind::kStDelBlind: return "ST.DEL (blind)";
    case OperationKind::kWrongContext: return "ST.PUT (context of another key)";
    case OperationKind::kBadContext: return "ST.PUT (damaged context)";
    case OperationKind::kScan: return "SCAN";
  }
  return "unknown";
}

bool is_dense(std::uint64_t seed) {
  return seed % 2 == 0 || seed % 10 == 5 || seed % 10 == 9;
}

Workload draw_workload(Random& random, double minutes, bool dense) {
  Workload workload;
  workload.dense = dense;
  const Duration sparse_length = milliseconds(static_cast<std::int64_t>(minutes * 60'000));
  if (dense) {
    workload.length = std::min(sparse_length, kDenseMax);
    workload.operations_per_second = log_uniform(random, 1'500, 2'200);
    workload.keys = static_cast<std::uint32_t>(log_uniform(random, 5, 100));
    workload.sessions = static_cast<std::uint32_t>(log_uniform(random, 16, 50));
  } else {
    workload.length = sparse_length;
    workload.operations_per_second = log_uniform(random, 4, 25);
    workload.keys = static_cast<std::uint32_t>(log_uniform(random, 10, 3'000));
    workload.sessions = static_cast<std::uint32_t>(log_uniform(random, 1, 8));
  }
  workload.hot = random.chance(0.3) ? random.fraction() * 0.5 : 0;
  // Clients of a dense run hang up soon, so that the work goes on around what is broken.
  const double patience_ms_max = dense ? 1'500 : 20'000;
  workload.patience =
      milliseconds(static_cast<std::int64_t>(log_uniform(random, 500, patience_ms_max)));
  workload.retry = random.fraction();
  workload.duplicate = random.chance(0.5) ? random.fraction() * 0.2 : 0;
  workload.hop = random.chance(0.5) ? random.fraction() * 0.2 : 0.002;
  workload.large = random.chance(0.3) ? 0.01 : 0;
  // How often each kind comes differs widely from run to run, and some may be missing.
  double sum = 0;
  // A step of a walk asks of hundreds of partitions.
  const std::array<double, kOperationKinds> usual{3,   3,   0.7, 3,   3,   1,
                                                  0.5, 0.7, 0.3, 0.1, 0.1, 0.003};
  for (std::size_t i = 0; i < kOperationKinds; ++i) {
    workload.weights[i] = random.chance(0.2) ? 0 : usual[i] * log_uniform(random, 0.2, 5);
    sum += workload.weights[i];
  }
  if (sum == 0) {
    workload.weights[static_cast<std::size_t>(OperationKind::kSet)] = sum = 1;
  }
  for (double& weight : workload.weights) weight /= sum;
  return workload;
}

void draw_extremes(Workload& workload, std::uint8_t n, std::uint8_t acks_least, Random random) {
  workload.empty = random.chance(0.3) ? 0.02 : 0;
  workload.huge = random.chance(0.3) ? (workload.dense ? kHugeDense : kHugeSparse) : 0;
  workload.edge = random.chance(0.3) ? 0.02 : 0;
  workload.quorums = random.chance(0.5) ? 0.5 * random.fraction() : 0;
  workload.replicas = n;
  workload.acks_least = acks_least;
  if (random.chance(0.5)) {
    workload.lateness = milliseconds(static_cast<std::int64_t>(log_uniform(random, 300, 5'000)));
    workload.duplicate = std::max(workload.duplicate, kLateDuplicates);
  }
}

AskedQuorum draw_quorum(const Workload& workload, OperationKind kind, Random random) {
  AskedQuorum asked;
  if (kind == OperationKind::kGet || kind == OperationKind::kSet || kind == OperationKind::kDel ||
      kind == OperationKind::kScan) {
    return asked;  // there is no room for it in plain commands
  }
  const bool read = kind == OperationKind::kStGet;
  const auto some = [&](std::uint8_t least) -> std::uint8_t {
    if (!random.chance(workload.quorums)) return 0;
    return static_cast<std::uint8_t>(random.between(least, workload.replicas));
  };
  asked.nodes = some(read ? 1 : workload.acks_least);
  asked.owners = some(1);
  if (!read) asked.durable = some(1);
  return asked;
}

OperationKind draw_operation(const Workload& workload, Random& random) {
  double draw = random.fraction();
  for (std::size_t i = 0; i < kOperationKinds; ++i) {
    if (draw < workload.weights[i]) return static_cast<OperationKind>(i);
    draw -= workload.weights[i];
  }
  return OperationKind::kGet;
}

std::uint32_t draw_key(const Workload& workload, Random& random) {
  if (workload.edge > 0) {
    Random edge = random.fork("edge key");
    if (edge.chance(workload.edge)) {
      return kEdgeKeys + static_cast<std::uint32_t>(edge.below(kEdgeKeyCount));
    }
  }
  if (random.chance(workload.hot)) return 0;
  return static_cast<std::uint32_t>(random.below(workload.keys));
}

std::vector<std::uint32_t> all_keys(const Workload& workload) {
  std::vector<std::uint32_t> keys(workload.keys);
  std::iota(keys.begin(), keys.end(), 0U);
  for (std::uint32_t i = 0; workload.edge > 0 && i < kEdgeKeyCount; ++i) {
    keys.push_back(kEdgeKeys + i);
  }
  return keys;
}

std::string key_name(std::uint32_t index) {
  if (index == kEmptyKey) return {};
  std::string name = "key:" + std::to_string(index);
  if (index >= kLongestKeys) {
    name.resize(node::Limits().key_bytes_max + (index == kTooLongKey ? 1 : 0), 'y');
    return name;
  }
  switch (index % 50) {
    case 7: return "{tag}" + name;
    case 13: return name + std::string("\0\r\n\xFF ", 5);
    case 29: return name + std::string(3'000, 'x');
    default: return name;
  }
}

Edge edge_of(OperationKind kind, std::uint32_t key, std::size_t value_size) {
  if (kind == OperationKind::kScan) return Edge::kNone;  // of all keys
  const std::size_t most = node::Limits().value_bytes_max;
  if (key == kTooLongKey || value_size > most) return Edge::kOver;
  return key >= kEdgeKeys || value_size == most ? Edge::kWithin : Edge::kNone;
}

std::string make_value(std::uint32_t key, std::uint64_t number, std::size_t size) {
  std::string value = std::to_string(key) + "|" + std::to_string(number) + "|";
  if (value.size() < size) value.append(size - value.size(), static_cast<char>('a' + number % 26));
  return value;
}

bool is_value_of(std::string_view value, std::uint32_t key) {
  return value.starts_with(std::to_string(key) + "|");
}

bool draws_empty_value(const Workload& workload, const Random& random) {
  return workload.empty > 0 && random.fork("empty value").chance(workload.empty);
}

std::size_t draw_value_size(const Workload& workload, Random& random) {
  if (workload.huge > 0) {
    Random huge = random.fork("huge value");
    const std::size_t most = node::Limits().value_bytes_max;
    if (huge.chance(workload.huge)) {
      const double draw = huge.fraction();
      if (draw < kEdgeValues) return most;
      if (draw < 2 * kEdgeValues) return most + 1;
      return kLargeValueMax + huge.below(most - kLargeValueMax + 1);
    }
  }
  if (random.chance(workload.large)) return random.below(kLargeValueMax);
  return random.below(200);
}

}  // namespace stator::sim
