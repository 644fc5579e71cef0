#pragma once

#include "core/version/object.h"

// The small steps that merge and put share; they keep the invariants of an Object (object.h). Not
// for use outside core/version.

namespace stator {

/// Remembers that the event was seen, unless the clock says so already.
void add_to_cloud(Object& object, const Dot& event);
/// Drops what the clock covers by now. To be called after every change of the clock.
void absorb_cloud(Object& object);

/// The cloud names the event.
[[nodiscard]] bool in_cloud(const Object& object, const Dot& event);
/// The live version of this event, or nullptr; its dot may be a later one (restamp).
[[nodiscard]] const Version* find_event(const Object& object, const Dot& event);
/// Inserts at its place in the order of events.
void insert_version(Object& object, const Version& version);

/// Remembers the id of a superseded write, if it may be minted twice at all.
void add_guard(Object& object, const WriteId& id);
/// Drops the oldest guards beyond kGuardsMax, and notes that.
void limit_guards(Object& object);
/// Drops guards of writes that nobody may retry any more, but for the newest kAgedGuardsMax of
/// them, and notes that.
void expire_guards(Object& object, WallTime now);

/// Of versions with one write id the first in the order of events stays (D7).
void drop_second_mints(Object& object);
/// Two live versions carry one write id.
[[nodiscard]] bool has_second_mint(const Object& object);

}  // namespace stator
