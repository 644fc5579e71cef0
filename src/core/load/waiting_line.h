#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "core/load/admission.h"

namespace stator {

/// One who may wait in line, and where it is with that. It is where it was made as long as it is
/// not kOut.
struct Waiter {
  enum class Place : std::uint8_t {
    kOut,     // does not wait
    kInLine,  // waits
    kCalled,  // it is its turn, and it comes
  };
  Place place = Place::kOut;
  MonoTime since{};          // when its wait began
  std::uint64_t number = 0;  // of all that ever joined, in order
  Waiter* ahead = nullptr;   // in line
  Waiter* behind = nullptr;  // in line
};

/// Those who have many requests at a time and found no room (D33, P8; G21): nothing is begun and
/// nothing refused for them until it is their turn. Who came first is called first, and nobody
/// overtakes: neither a newcomer, nor one who found at its turn that the room was gone, which
/// stands where it stood. Who has waited for kWaitMax is called whether there is room or not, and
/// then told: so many refusals as are its share, so that it knows that this node lives and is
/// overloaded.
///
/// How many are called at a time follows from what the last ones found: one more for each that was
/// served, half as many for one that found no room, since each visit has a cost of its own. Pure;
/// one per shard and door. Owns nobody; whoever ends leaves first.
class WaitingLine {
 public:
  /// Whether one who has many requests may begin the next one.
  [[nodiscard]] bool lets_pass(const Waiter& waiter, Room room) const;
  /// To the end: it begins to wait, or what it came for was done and it wants more.
  void join(Waiter& waiter, MonoTime now);
  /// One that was called, and found no room for anything.
  void keep_place(Waiter& waiter);
  /// One that was called, and wants no more for now.
  void pass(Waiter& waiter);
  /// It does not come any more, wherever it was.
  void leave(Waiter& waiter);

  struct Call {
    Waiter* waiter = nullptr;
    std::size_t refusals = 0;  // as many at most; 0: it goes on waiting if there is no room
  };
  /// Whose turn it is, if it is anybody's. Whoever is called comes soon, or leaves.
  [[nodiscard]] std::optional<Call> call(MonoTime now, Room room);

  /// Nobody waits; some may still be on their way.
  [[nodiscard]] bool empty() const { return first_ == nullptr; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t called() const { return called_; }

  static constexpr Duration kWaitMax = milliseconds(200);
  /// Who waits costs nothing, and each refusal a part of a request: so many per kWaitMax are for
  /// those in line, however many they are; but each gets a few.
  static constexpr std::size_t kRefusalsPerWait = 1600;
  static constexpr std::size_t kCalledMin = 4;
  static constexpr std::size_t kCalledMax = 64;

 private:
  void insert_behind(Waiter* ahead, Waiter& waiter);
  void remove(Waiter& waiter);

  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
  std::size_t size_ = 0;
  std::size_t called_ = 0;
  std::size_t at_a_time_ = kCalledMin;
  std::uint64_t joined_ = 0;
};

}  // namespace stator
