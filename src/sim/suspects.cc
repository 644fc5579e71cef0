#include "sim/suspects.h"

#include <algorithm>
#include <cstddef>
#include <string>

namespace stator::sim {

std::vector<std::uint64_t> suspects(const Verdict& verdict, const OperationLog& log,
                                    const Workload& workload,
                                    const std::vector<std::uint32_t>& keys) {
  std::vector<bool> broken;
  for (const Violation& each : verdict.violations) {
    const std::string& name = log.keys().at(each.key).key;
    for (const std::uint32_t key : all_keys(workload)) {
      if (key_name(key) != name) continue;
      broken.resize(std::max<std::size_t>(broken.size(), key + 1));
      broken[key] = true;
    }
  }
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t number = 0; number < keys.size(); ++number) {
    const std::uint32_t key = keys[number];
    if (key < broken.size() && broken[key]) numbers.push_back(number);
  }
  return numbers;
}

}  // namespace stator::sim
