#include "sim/workload.h"

#include <algorithm>
#include <cmath>

namespace stator::sim {
namespace {

constexpr std::size_t kLargeValueMax = 64 * 1024;
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

OperationKind draw_operation(const Workload& workload, Random& random) {
  double draw = random.fraction();
  for (std::size_t i = 0; i < kOperationKinds; ++i) {
    if (draw < workload.weights[i]) return static_cast<OperationKind>(i);
    draw -= workload.weights[i];
  }
  return OperationKind::kGet;
}

std::uint32_t draw_key(const Workload& workload, Random& random) {
  if (random.chance(workload.hot)) return 0;
  return static_cast<std::uint32_t>(random.below(workload.keys));
}

std::string key_name(std::uint32_t index) {
  std::string name = "key:" + std::to_string(index);
  switch (index % 50) {
    case 7: return "{tag}" + name;
    case 13: return name + std::string("\0\r\n\xFF ", 5);
    case 29: return name + std::string(3'000, 'x');
    default: return name;
  }
}

std::string make_value(std::uint32_t key, std::uint64_t number, std::size_t size) {
  std::string value = std::to_string(key) + "|" + std::to_string(number) + "|";
  if (value.size() < size) value.append(size - value.size(), static_cast<char>('a' + number % 26));
  return value;
}

bool is_value_of(std::string_view value, std::uint32_t key) {
  return value.starts_with(std::to_string(key) + "|");
}

std::size_t draw_value_size(const Workload& workload, Random& random) {
  if (random.chance(workload.large)) return random.below(kLargeValueMax);
  return random.below(200);
}

}  // namespace stator::sim
