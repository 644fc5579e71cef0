#include "env_sim/world.h"

namespace stator::sim {

World::World(std::uint64_t seed, std::uint64_t variation)
    : random_(seed),
      chance_(variation == 0 ? random_ : random_.fork("variation", variation)),
      buggify_(random_.fork("buggify").next()),
      wire_(*this, chance_.fork("wire")) {}

World::~World() {
  // Every process dies before any host goes, since each may hold connections to others.
  for (const auto& host : hosts_) host->kill();
}

Host& World::add_host(const std::string& name) {
  const auto index = static_cast<std::uint32_t>(hosts_.size());
  hosts_.push_back(std::make_unique<Host>(*this, index, name));
  wire_.host_added(name);
  return *hosts_.back();
}

}  // namespace stator::sim
