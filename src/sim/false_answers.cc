#include "sim/false_answers.h"

#include <cstdint>
#include <map>
#include <utility>

#include "sim/workload.h"

namespace stator::sim {

std::vector<std::string> false_answers(const ClientRecord& clients, OperationLog& log) {
  struct Known {
    bool ok = false;
    bool maybe = false;
  };
  std::map<std::pair<std::uint32_t, std::uint64_t>, Known> known;
  for (std::uint32_t i = 0; i < log.keys().size(); ++i) {
    for (const WriteCall& call : log.keys()[i].writes) {
      if (call.tombstone) continue;
      Known& entry = known[{i, call.value_hash}];
      entry.ok = entry.ok || call.outcome == Outcome::kOk;
      entry.maybe = entry.maybe || call.outcome != Outcome::kNotApplied;
    }
  }
  std::vector<std::string> problems;
  for (const ClientRecord::Told& told : clients.told) {
    const std::uint32_t key = log.key_index("default", key_name(told.key));
    const Known entry = known[{key, told.value_hash}];
    if (told.ok && !entry.ok) {
      problems.push_back("P7: a client was told `ok` for a write of key " + std::to_string(key) +
                         " that was not acknowledged");
    } else if (!told.ok && entry.maybe) {
      problems.push_back("P7: a client was told that its write of key " + std::to_string(key) +
                         " was refused, and it may have been applied");
    }
  }
  return problems;
}

}  // namespace stator::sim
