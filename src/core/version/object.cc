#include "core/version/object.h"

#include <algorithm>

#include "core/version/object_edit.h"

namespace stator {

void Object::clear() {
  clock.clear();
  cloud.clear();
  versions.clear();
  guards.clear();
  forgotten_until_ms = 0;
}

bool Object::has_seen(const Version& version) const {
  return clock.covers(version.event()) || in_cloud(*this, version.event());
}

bool Object::guards_id(const WriteId& id) const {
  return std::binary_search(guards.begin(), guards.end(), id);
}

bool Object::may_have_forgotten(const WriteId& id, WallTime now) const {
  if (!id.retryable() || id.time_ms() > forgotten_until_ms) return false;
  return static_cast<std::int64_t>(forgotten_until_ms) <= now.ms() + kIdFutureMax.ms();
}

const Version* Object::find(const WriteId& id) const {
  if (!id) return nullptr;
  for (const Version& version : versions) {
    if (version.write_id == id) return &version;
  }
  return nullptr;
}

const Version* Object::latest() const {
  const Version* best = nullptr;
  for (const Version& version : versions) {
    // Versions stand in the order of their events: the later one wins a tie.
    if (best == nullptr || version.time >= best->time) best = &version;
  }
  return best;
}

std::size_t Object::living(WallTime now) const {
  std::size_t count = 0;
  for (const Version& version : versions) {
    if (!version.dead(now)) ++count;
  }
  return count;
}

}  // namespace stator
