#include "sim/naming.h"

#include <cstdio>

namespace stator::sim {

std::string name_of(const WriteId& id) {
  char text[40];
  std::snprintf(text, sizeof text, "%016llx-%016llx", static_cast<unsigned long long>(id.high),
                static_cast<unsigned long long>(id.low));
  return text;
}

std::string at_time(MonoTime when) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6f s", static_cast<double>(when.ns) / 1e9);
  return text;
}

}  // namespace stator::sim
