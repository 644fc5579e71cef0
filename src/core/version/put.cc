#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "base/probe.h"
#include "core/version/context.h"
#include "core/version/object.h"
#include "core/version/object_edit.h"

namespace stator {
namespace {

bool free_in(const Clock& clock, const Dot& dot) {
  return clock.counter_of(dot.actor) < dot.counter;
}

Hlc successor(Hlc time) {
  return {time.value + (time.value != std::numeric_limits<std::uint64_t>::max() ? 1U : 0U)};
}

// Drops every version for which `superseded` holds and leaves its guard. Returns the latest time
// among them.
template <typename Predicate>
Hlc supersede(Object& object, Predicate superseded) {
  Hlc latest{};
  std::size_t kept = 0;
  for (std::size_t i = 0; i < object.versions.size(); ++i) {
    const Version& version = object.versions[i];
    if (superseded(version)) {
      latest = std::max(latest, version.time);
      add_guard(object, version.write_id);
    } else {
      object.versions[kept++] = version;
    }
  }
  object.versions.truncate(kept);
  return latest;
}

// `floor` is the latest time among what the write supersedes.
void mint(Object& object, const Write& write, const Dot& dot, Hlc floor, WallTime now) {
  expire_guards(object, now);
  limit_guards(object);
  object.clock.add(dot);
  insert_version(object, Version{.dot = dot,
                                 .first_counter = dot.counter,
                                 .write_id = write.id,
                                 .time = std::max(write.time, successor(floor)),
                                 .expires_at = write.expires_at,
                                 .tombstone = write.tombstone,
                                 .content_type = write.content_type,
                                 .value = write.tombstone ? std::string_view{} : write.value});
}

}  // namespace

bool can_mint(const Object& object, const Context& context, const Dot& dot) {
  if (dot.counter == 0 || !free_in(object.clock, dot)) return false;
  for (const Dot& seen : object.cloud) {
    if (seen.actor == dot.actor) return false;
  }
  const std::uint64_t known = object.clock.counter_of(dot.actor);
  if (context.clock.counter_of(dot.actor) > known) return false;
  return std::none_of(context.seen.begin(), context.seen.end(), [&](const SeenVersion& seen) {
    return seen.dot.actor == dot.actor && seen.dot.counter > known;
  });
}

Dot choose_dot(const Object& object, const Context& context, const Actor& life,
               std::uint64_t counter) {
  const Dot continued{life, counter};
  if (life.life != 0 && can_mint(object, context, continued)) return continued;
  if (life.life != 0) STATOR_PROBE("mint: a life cannot go on, another begins");
  return {{life.incarnation, counter}, counter};
}

PutEffect probe(const Object& object, const WriteId& id) {
  if (object.find(id) != nullptr) {
    STATOR_PROBE("put: a retry meets its own version");
    return PutEffect::kAlreadyLive;
  }
  if (object.guards_id(id)) {
    STATOR_PROBE("put: a retry meets its guard");
    return PutEffect::kAlreadySuperseded;
  }
  return PutEffect::kMinted;
}

PutEffect put(Object& object, const Write& write, const Context& context, const Dot& dot,
              WallTime now) {
  const PutEffect effect = probe(object, write.id);
  if (effect != PutEffect::kMinted) return effect;
  STATOR_ASSERT(can_mint(object, context, dot));
  const Hlc dropped =
      supersede(object, [&](const Version& version) { return context.covers(version); });
  object.clock.merge(context.clock);
  absorb_cloud(object);
  for (const SeenVersion& seen : context.seen) {
    add_to_cloud(object, seen.event());
    // The write itself may be among what its writer saw, when a retry comes with a later context.
    if (seen.write_id != write.id) {
      add_guard(object, seen.write_id);
    } else {
      STATOR_PROBE("put: a retry comes with a context that saw it");
    }
  }
  mint(object, write, dot, std::max(dropped, context.time), now);
  return effect;
}

PutEffect put_over_all(Object& object, const Write& write, const Dot& dot, WallTime now) {
  const PutEffect effect = probe(object, write.id);
  if (effect != PutEffect::kMinted) return effect;
  STATOR_ASSERT(!write.id.retryable() && can_mint(object, Context{}, dot));
  const Hlc dropped = supersede(object, [](const Version&) { return true; });
  mint(object, write, dot, dropped, now);
  return effect;
}

bool restamp(Object& object, const WriteId& id, const Dot& dot, Hlc time) {
  const Version* live = object.find(id);
  if (live == nullptr || id.retryable()) return false;
  if (live->dot.actor != dot.actor || !free_in(object.clock, dot)) return false;
  Version renewed = *live;
  // Only before the first renewal is its time the one that it was minted with.
  const bool first = renewed.dot.counter == renewed.first_counter;
  if (!first) STATOR_PROBE("restamp: a second time");
  const Hlc minted = first ? renewed.time : Hlc{};
  for (const Version& version : object.versions) {
    if (version.write_id != id) time = std::max(time, successor(version.time));
  }
  supersede(object, [&](const Version& version) {
    return version.time < minted || version.write_id == id;
  });
  if (!object.versions.empty()) STATOR_PROBE("restamp: a younger version stays beside it");
  limit_guards(object);
  renewed.dot = dot;
  renewed.time = std::max(renewed.time, time);
  insert_version(object, renewed);
  object.clock.add(dot);
  return true;
}

}  // namespace stator
