#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ids.h"
#include "base/small_vector.h"
#include "base/time.h"
#include "core/version/clock.h"
#include "core/version/hlc.h"

// An object: everything that a replica knows of one key (design 4.2). One clock for the whole set,
// plus the live versions, each with its own dot (a dotted version vector set): as small as a
// version vector, and k racing clients make at most k siblings (D4). Replication always sends the
// whole object.
//
// All byte strings are views. An Object decoded from a buffer lives as long as that buffer; merging
// two objects leaves views into both. Encode (object_codec.h) to make it own its bytes.

namespace stator {

struct Context;

/// One version: immutable once minted (paper 4.4).
struct Version {
  Dot dot{};
  /// A plain write that is covered again under a new dot before it is answered (design 2.4) keeps
  /// its write id; this is the counter of its first dot, of the same actor: the event by which the
  /// write is known. Counters between the two may be those of other writes. Equal to dot.counter
  /// everywhere else.
  std::uint64_t first_counter = 0;
  WriteId write_id{};
  Hlc time{};
  WallTime expires_at{};  // 0: never. Judged by the coordinator of a read alone (design 4.2)
  bool tombstone = false;
  std::string_view content_type{};  // as sent over HTTP; empty: none
  std::string_view value{};         // empty for a tombstone

  /// What a clock, a cloud or a context must contain to have seen this version. Never changes.
  [[nodiscard]] Dot event() const { return {dot.actor, first_counter}; }
  /// An expired version is a tombstone in place. `now` is guarded time.
  [[nodiscard]] bool dead(WallTime now) const {
    return tombstone || (expires_at.us != 0 && expires_at <= now);
  }
};

// Invariants, which every function here keeps and decode_object checks: the clock covers the dot of
// each live version and no dot of the cloud; no two live versions have one event or one write id;
// no live id is guarded.

struct Object {
  Clock clock;
  /// Events seen beyond the clock: what a writer's context named and this replica has not received
  /// yet. Absorbed as soon as the clock covers them. Sorted.
  SmallVector<Dot, 2> cloud;
  SmallVector<Version, 2> versions;  // live, sorted by event
  /// Ids of superseded writes that may have been minted twice (WriteId::retryable): a version that
  /// carries one is dead, whatever its dot (D7). Sorted. See kGuardsMax.
  SmallVector<WriteId, 2> guards;
  /// The latest time among ids whose guards are gone, by age or by number; 0: none is.
  std::uint64_t forgotten_until_ms = 0;

  [[nodiscard]] bool empty() const { return clock.empty() && cloud.empty() && versions.empty(); }
  void clear();
  /// The event of this version has been seen here: it is live, or superseded.
  [[nodiscard]] bool has_seen(const Version& version) const;
  [[nodiscard]] bool guards_id(const WriteId& id) const;
  /// A write with this id, not known here, may have been superseded all the same, so that it must
  /// not be minted unless it is certain that nobody minted it before. What was forgotten of ids
  /// that lie more than kIdFutureMax ahead of `now` (guarded) does not count: a clock that was a
  /// year ahead for a while would close the key to retries for a year.
  [[nodiscard]] bool may_have_forgotten(const WriteId& id, WallTime now) const;
  /// The live version with this write id, or nullptr.
  [[nodiscard]] const Version* find(const WriteId& id) const;
  /// The version that a plain read returns: highest time, tombstones included, ties by event;
  /// nullptr
  /// if none.
  [[nodiscard]] const Version* latest() const;
  /// Live versions that are not dead at `now`.
  [[nodiscard]] std::size_t living(WallTime now) const;
};

/// How long a write may be retried after the time in its id (design 4.2). Later it is answered
/// `unknown` and not applied, so that its guard may go (but see kAgedGuardsMax).
inline constexpr Duration kRetryWindow = seconds(600);
/// The newest guards that an object keeps. Beyond them Object::forgotten_until_ms rises.
inline constexpr std::size_t kGuardsMax = 256;
/// Of those the newest that it keeps of writes that nobody may retry any more. Such a write is not
/// minted again, but it may have been minted twice while it could be, and the second copy stand at
/// a node that has been away since.
inline constexpr std::size_t kAgedGuardsMax = 16;
/// How far ahead of the node's time the id of a client may be.
inline constexpr Duration kIdFutureMax = seconds(60);

/// The union of two replicas' knowledge (syntactic reconciliation, paper 4.4). A version survives
/// if its event is live in both (the later stamp of a restamped one), or live in one and unseen by
/// the other, and its id is not guarded; of several with one write id the smallest event survives.
/// Commutative, idempotent, and associative as long as no guard was dropped by age or number.
/// `into` may not alias `other`.
void merge(Object& into, const Object& other);

/// What two replicas' knowledge says of each other.
enum class Relation : std::uint8_t { kEqual, kCovers, kCoveredBy, kConcurrent };
/// Of `a` as seen from `b`: kCovers when merging b into a would change nothing in a but its guards
/// and how far it has forgotten some.
/// kEqual if and only if the digests are equal.
[[nodiscard]] Relation compare(const Object& a, const Object& b);

/// Equal digests: equal clock, cloud and live versions (values follow from dots). Guards do not
/// count, since they are dropped by age on each replica alone. Never 0 for an object that is not
/// empty; 0 for one that is.
[[nodiscard]] std::uint64_t digest(const Object& object);

/// A write as the minting node applies it.
struct Write {
  WriteId id{};  // never empty: without an id a write cannot be told from another
  Hlc time{};
  WallTime expires_at{};
  bool tombstone = false;
  std::string_view content_type{};
  std::string_view value{};
};

enum class PutEffect : std::uint8_t {
  kMinted,             // the object now holds the write under the given dot
  kAlreadyLive,        // a retry: the write stands here already; nothing changed
  kAlreadySuperseded,  // a retry of a write that somebody has overwritten since; nothing changed
};

/// `dot` may be minted here: it is above all that `object` holds of its actor, and neither the
/// object's cloud nor the context knows an event of that actor which the object's clock lacks. The
/// latter means that the record which this life wrote was lost (D1) or that the context is forged;
/// the life has ended then.
[[nodiscard]] bool can_mint(const Object& object, const Context& context, const Dot& dot);
/// The dot to mint with: `life` (life 0: the record has none) is continued if that is safe, else a
/// new life begins, named by `counter`. `counter` is the incarnation's next one in the partition.
[[nodiscard]] Dot choose_dot(const Object& object, const Context& context, const Actor& life,
                             std::uint64_t counter);

/// What a put of `id` would be here, without minting: so that no counter is used up by a retry.
[[nodiscard]] PutEffect probe(const Object& object, const WriteId& id);

// Whatever supersedes is later than all that it supersedes: put, put_over_all and restamp raise a
// time that is not. Nothing may thus supersede itself through others.

/// Mints `write` into `object` under `dot`, which must be one that can_mint allows (asserted, D1).
/// Drops the versions that `context` covers by dot or by write id, keeps all others as siblings.
/// Superseded retryable ids become guards; context dots that the clock does not cover go to the
/// cloud. Guards older than kRetryWindow before `now` (HybridClock::ageing_now) are dropped, but
/// for the newest kAgedGuardsMax of them.
PutEffect put(Object& object, const Write& write, const Context& context, const Dot& dot,
              WallTime now);

/// A plain (Redis) write: supersedes all that `object` holds (design 2.4). Its id must be of the
/// kind that is minted once (asserted). Minted a second time where its guard is not known yet, it
/// would supersede what came after it, then die by the guard, and take that with it; a write that
/// carries its context cannot, since the second mint supersedes nothing that the first did not.
PutEffect put_over_all(Object& object, const Write& write, const Dot& dot, WallTime now);

/// What a coordinator of a plain write does when an acknowledgement showed versions that the write
/// did not cover (design 2.4): after merging them into `object`, renews the write under a new dot
/// and the same write id. The write gets a time of at least `time` and later than all others here,
/// so that plain reads return it; versions that are older than its minting are superseded by it,
/// the rest stay as siblings. Were they superseded too, two writes that see each other in their
/// acknowledgements would supersede each other, and both be lost (docs/design).
/// Returns false, and changes nothing, when the write is no longer live here, may be minted twice,
/// is of another actor than `dot`, or when `dot` is not above the clock.
bool restamp(Object& object, const WriteId& id, const Dot& dot, Hlc time);

}  // namespace stator
