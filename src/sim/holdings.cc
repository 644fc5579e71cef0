#include "sim/holdings.h"

namespace stator::sim {
namespace {

struct Kind {
  std::size_t Holdings::* count;
  const char* name;
};
// What comes and goes with the work.
constexpr Kind kWork[] = {
    {&Holdings::operations, "operations of clients in one table"},
    {&Holdings::waiting, "requests that the admission waits for"},
    {&Holdings::walks, "walks and explanations"},
    {&Holdings::merges, "merges under way"},
    {&Holdings::hints, "hints being delivered"},
    {&Holdings::reads, "reads that wait for the engine"},
    {&Holdings::staged_bytes, "bytes that wait for the engine"},
    {&Holdings::link_bytes, "bytes that wait on a link"},
    {&Holdings::stream_bytes, "bytes that a client does not take"},
    {&Holdings::streams, "connections of clients"},
};
// What is there as long as the process is.
constexpr Kind kStanding[] = {
    {&Holdings::timers, "timers"},
    {&Holdings::listeners, "listeners"},
    {&Holdings::links, "links"},
};

std::string sentence(std::size_t held, const char* name, std::size_t most) {
  return std::to_string(held) + " " + name + ", more than " + std::to_string(most);
}

}  // namespace

std::vector<std::string> over_limits(const Holdings& held, const Holdings& most, MonoTime now,
                                     bool behind) {
  std::vector<std::string> found;
  if (!behind && held.first_deadline < now - kOverdueMax) {
    found.push_back("an operation is open " + std::to_string((now - held.first_deadline).ms()) +
                    " ms beyond its deadline");
  }
  for (const Kind& kind : kWork) {
    if (held.*kind.count > most.*kind.count) {
      found.push_back(sentence(held.*kind.count, kind.name, most.*kind.count));
    }
  }
  return found;
}

std::vector<std::string> left_over(const Holdings& held, const Holdings& fresh) {
  std::vector<std::string> found;
  for (const Kind& kind : kWork) {
    if (held.*kind.count > 0) found.push_back(sentence(held.*kind.count, kind.name, 0));
  }
  for (const Kind& kind : kStanding) {
    if (held.*kind.count > fresh.*kind.count) {
      found.push_back(sentence(held.*kind.count, kind.name, fresh.*kind.count));
    }
  }
  return found;
}

}  // namespace stator::sim
