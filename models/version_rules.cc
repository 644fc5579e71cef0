// Tries all executions of a small world: one key, two or three nodes, the real put, merge and
// restamp of src/core/version, and beside them the explicit history of each write. Breadth first,
// so that a violation is printed with a shortest trace. models/README.md says what was found.

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/hash.h"
#include "core/version/world.h"

namespace stator::testing {
namespace {

struct Model {
  const char* name;
  WorldLimits limits;
  std::size_t states_max;
};

// How a state was first reached.
struct Step {
  std::uint32_t parent = 0;
  Action action{};
  std::uint8_t depth = 0;
};

void print_trace(const Model& model, const std::vector<Step>& steps, std::uint32_t last) {
  std::vector<Action> trace;
  for (std::uint32_t at = last; at != 0; at = steps[at].parent) trace.push_back(steps[at].action);
  std::reverse(trace.begin(), trace.end());
  World world{model.limits};
  for (const Action& action : trace) {
    world.apply(action);
    fmt::print("  {:<24}{}\n", describe(action), world.show());
  }
}

struct Open {
  World world;
  std::uint32_t step = 0;
};

bool explore(const Model& model, std::size_t states_max) {
  std::deque<Open> open;
  open.push_back({World{model.limits}, 0});
  std::vector<Step> steps(1);
  std::unordered_set<std::uint64_t> known;
  known.insert(hash64(open.front().world.key()));
  std::vector<Action> actions;
  bool complete = true;
  while (!open.empty()) {
    const Open from = std::move(open.front());
    open.pop_front();
    from.world.actions(actions);
    for (const Action& action : actions) {
      World next = from.world;
      next.apply(action);
      if (!known.insert(hash64(next.key())).second) continue;
      const auto step = static_cast<std::uint32_t>(steps.size());
      steps.push_back({from.step, action, static_cast<std::uint8_t>(steps[from.step].depth + 1)});
      if (const auto wrong = next.violation()) {
        fmt::print("{}: VIOLATION after {} steps, {} states: {}\n", model.name, steps[step].depth,
                   known.size(), *wrong);
        print_trace(model, steps, step);
        return false;
      }
      if (known.size() < states_max) {
        open.push_back({std::move(next), step});
      } else {
        complete = false;
      }
    }
    if (!complete) break;
  }
  fmt::print("{:<42} {:>9} states, depth {:>2}, {}\n", model.name, known.size(), steps.back().depth,
             complete ? "complete" : "cut off there");
  return true;
}

constexpr Model kModels[] = {
    {"2 nodes, 2 writes, retry, late copies",
     {.nodes = 2, .clients = 1, .writes = 2, .retries = 1, .messages = 1},
     1'000'000},
    {"2 nodes, 2 writes, retry, loss, restart",
     {.nodes = 2,
      .clients = 1,
      .writes = 2,
      .retries = 1,
      .losses = 1,
      .restarts = 1,
      .messages = 0},
     1'000'000},
    {"2 nodes, 3 writes, retry",
     {.nodes = 2, .clients = 1, .writes = 3, .retries = 1, .messages = 0},
     1'000'000},
    {"3 nodes, 2 writes, retry",
     {.nodes = 3, .clients = 1, .writes = 2, .retries = 1, .messages = 0},
     1'000'000},
    {"2 nodes, 3 writes, retry, hand-over",
     {.nodes = 2, .clients = 1, .writes = 3, .retries = 1, .messages = 0, .handovers = 2},
     400'000},
    {"3 nodes, 2 writes, retry, hand-over",
     {.nodes = 3, .clients = 1, .writes = 2, .retries = 1, .messages = 0, .handovers = 2},
     400'000},
    {"3 nodes, 3 writes, 2 clients, all faults",
     {.nodes = 3,
      .clients = 2,
      .writes = 3,
      .retries = 1,
      .losses = 1,
      .restarts = 1,
      .messages = 1,
      .images = true},
     150'000},
};

}  // namespace
}  // namespace stator::testing

// version_rules [FACTOR]: FACTOR times as many states before a model is cut off.
int main(int argc, char** argv) {
  using namespace stator::testing;
  const double factor = argc > 1 ? std::atof(argv[1]) : 1.0;
  bool held = true;
  for (const Model& model : kModels) {
    const auto states = static_cast<std::size_t>(static_cast<double>(model.states_max) * factor);
    held = explore(model, states) && held;
  }
  return held ? 0 : 1;
}
