#include "base/probe.h"

#include <string_view>

namespace stator {

std::vector<const Probe*> Probe::all() {
  std::vector<const Probe*> probes;
  for (const Probe* probe = newest; probe != nullptr; probe = probe->next_) {
    probes.push_back(probe);
  }
  std::sort(probes.begin(), probes.end(), [](const Probe* a, const Probe* b) {
    return std::string_view(a->name()) < std::string_view(b->name());
  });
  return probes;
}

}  // namespace stator
