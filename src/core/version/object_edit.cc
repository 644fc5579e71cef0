#include "core/version/object_edit.h"

#include <algorithm>

#include "base/probe.h"

namespace stator {
namespace {

// A version that may leave because its write lives on under a smaller first dot.
struct Minted {
  WriteId id{};
  std::size_t position = 0;
  auto operator<=>(const Minted&) const = default;
};
using MintedList = SmallVector<Minted, 8>;

// Where the version with this event is, or belongs. Found by halving: repair may have brought
// thousands together, each of which is looked for in the other's.
std::size_t place_of(const Object& object, const Dot& event) {
  const auto place =
      std::lower_bound(object.versions.begin(), object.versions.end(), event,
                       [](const Version& a, const Dot& sought) { return a.event() < sought; });
  return static_cast<std::size_t>(place - object.versions.begin());
}

// Ids begin with their time, so the oldest are the first.
void drop_oldest_guards(Object& object, std::size_t count) {
  if (count == 0) return;
  STATOR_PROBE("object: guards are forgotten");
  object.forgotten_until_ms =
      std::max(object.forgotten_until_ms, object.guards[count - 1].time_ms());
  std::copy(object.guards.begin() + count, object.guards.end(), object.guards.begin());
  object.guards.truncate(object.guards.size() - count);
}

// The positions of all second mints, in no order. Empty ids name no write and never match.
void find_second_mints(const Object& object, MintedList& found) {
  if (object.versions.size() < 2) return;
  MintedList all;
  for (std::size_t i = 0; i < object.versions.size(); ++i) {
    if (object.versions[i].write_id) all.push_back({object.versions[i].write_id, i});
  }
  std::sort(all.begin(), all.end());
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].id == all[i - 1].id) found.push_back(all[i]);
  }
}

}  // namespace

bool in_cloud(const Object& object, const Dot& event) {
  return std::binary_search(object.cloud.begin(), object.cloud.end(), event);
}

void add_to_cloud(Object& object, const Dot& event) {
  if (object.clock.covers(event)) return;
  STATOR_PROBE("object: knows an event, not those before it");
  const auto place = std::lower_bound(object.cloud.begin(), object.cloud.end(), event);
  if (place != object.cloud.end() && *place == event) return;
  object.cloud.insert(static_cast<std::size_t>(place - object.cloud.begin()), event);
}

void absorb_cloud(Object& object) {
  if (object.cloud.empty()) return;
  const auto kept = std::remove_if(object.cloud.begin(), object.cloud.end(),
                                   [&](const Dot& dot) { return object.clock.covers(dot); });
  if (kept != object.cloud.end()) STATOR_PROBE("object: the clock catches up with single events");
  object.cloud.truncate(static_cast<std::size_t>(kept - object.cloud.begin()));
}

const Version* find_event(const Object& object, const Dot& event) {
  const std::size_t place = place_of(object, event);
  const bool found = place < object.versions.size() && object.versions[place].event() == event;
  return found ? &object.versions[place] : nullptr;
}

void insert_version(Object& object, const Version& version) {
  object.versions.insert(place_of(object, version.event()), version);
}

void add_guard(Object& object, const WriteId& id) {
  if (!id || !id.retryable()) return;
  const auto place = std::lower_bound(object.guards.begin(), object.guards.end(), id);
  if (place != object.guards.end() && *place == id) return;
  object.guards.insert(static_cast<std::size_t>(place - object.guards.begin()), id);
}

void limit_guards(Object& object) {
  const std::size_t size = object.guards.size();
  if (size <= kGuardsMax) return;
  STATOR_PROBE("object: has more guards than are kept");
  drop_oldest_guards(object, size - kGuardsMax);
}

void expire_guards(Object& object, WallTime now) {
  const std::int64_t horizon_ms = now.ms() - kRetryWindow.ms();
  const auto young = std::find_if(
      object.guards.begin(), object.guards.end(),
      [&](const WriteId& id) { return static_cast<std::int64_t>(id.time_ms()) >= horizon_ms; });
  const auto aged = static_cast<std::size_t>(young - object.guards.begin());
  drop_oldest_guards(object, aged - std::min(aged, kAgedGuardsMax));
}

void drop_second_mints(Object& object) {
  MintedList seconds;
  find_second_mints(object, seconds);
  if (seconds.empty()) return;
  STATOR_PROBE("merge: one write was minted twice");
  std::sort(seconds.begin(), seconds.end(),
            [](const Minted& a, const Minted& b) { return a.position > b.position; });
  for (const Minted& second : seconds) object.versions.erase(second.position);
}

bool has_second_mint(const Object& object) {
  MintedList seconds;
  find_second_mints(object, seconds);
  return !seconds.empty();
}

}  // namespace stator
