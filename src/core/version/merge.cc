#include <algorithm>

#include "base/assert.h"
#include "base/probe.h"
#include "core/version/object.h"
#include "core/version/object_edit.h"

namespace stator {
namespace {

// Drops what `other` knows to be superseded, and takes over later stamps of what both hold.
void keep_survivors(Object& into, const Object& other) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < into.versions.size(); ++i) {
    const Version& mine = into.versions[i];
    const Version* theirs = find_event(other, mine.event());
    if (theirs == nullptr && (other.has_seen(mine) || other.guards_id(mine.write_id))) {
      if (!other.has_seen(mine)) STATOR_PROBE("merge: a guard drops a version here");
      continue;
    }
    const bool restamped = theirs != nullptr && theirs->dot.counter > mine.dot.counter;
    if (restamped) STATOR_PROBE("merge: the other has a later stamp");
    into.versions[kept++] = restamped ? *theirs : mine;
  }
  into.versions.truncate(kept);
}

// Takes what `into` has never seen. To be called before the clocks are merged.
void take_unseen(Object& into, const Object& other) {
  for (const Version& theirs : other.versions) {
    if (into.has_seen(theirs)) continue;
    if (into.guards_id(theirs.write_id)) {
      STATOR_PROBE("merge: a guard keeps a version out");
      continue;
    }
    insert_version(into, theirs);
  }
}

void merge_guards(Object& into, const Object& other) {
  into.forgotten_until_ms = std::max(into.forgotten_until_ms, other.forgotten_until_ms);
  if (other.guards.empty()) return;
  for (const WriteId& id : other.guards) add_guard(into, id);
  limit_guards(into);
}

// Merging `b` into `a` would change nothing in `a`, guards apart.
bool covers(const Object& a, const Object& b) {
  if (!a.clock.covers(b.clock)) return false;
  for (const Dot& dot : b.cloud) {
    if (!a.clock.covers(dot) && !in_cloud(a, dot)) return false;
  }
  for (const Version& mine : a.versions) {
    const Version* theirs = find_event(b, mine.event());
    if (theirs == nullptr && (b.has_seen(mine) || b.guards_id(mine.write_id))) return false;
    if (theirs != nullptr && theirs->dot.counter > mine.dot.counter) return false;
  }
  return true;  // the clock covers b's versions: each lives here, or is superseded here
}

}  // namespace

void merge(Object& into, const Object& other) {
  STATOR_ASSERT(&into != &other);
  keep_survivors(into, other);
  const std::size_t before = into.versions.size();
  take_unseen(into, other);
  const bool taken = into.versions.size() > before;
  into.clock.merge(other.clock);
  if (!other.cloud.empty()) STATOR_PROBE("merge: the other knows single events");
  for (const Dot& dot : other.cloud) add_to_cloud(into, dot);
  absorb_cloud(into);
  merge_guards(into, other);
  if (taken) drop_second_mints(into);
}

Relation compare(const Object& a, const Object& b) {
  const bool a_covers = covers(a, b);
  const bool b_covers = covers(b, a);
  if (a_covers) return b_covers ? Relation::kEqual : Relation::kCovers;
  return b_covers ? Relation::kCoveredBy : Relation::kConcurrent;
}

}  // namespace stator
