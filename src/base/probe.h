#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

// Probes of rare states (G8). A test that never meets the state it was written for proves nothing,
// and nobody sees that: so code says where a rare state is, and a run of the simulator says which
// of them it has met (`stator sim --probes`).
//
//   if (asked_twice) STATOR_PROBE("read: an answer came twice");
//
// A probe decides nothing and changes nothing. It counts only where somebody wants to know: a node
// in production pays one load and a branch that is never taken. Anybody may be on any thread.

namespace stator {

/// One rare state, known by its name before main() begins: several places may share it.
class Probe {
 public:
  /// `name` outlives the program's other statics, as a literal does.
  explicit Probe(const char* name) noexcept : name_(name), next_(newest) { newest = this; }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  void hit() { hits_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] const char* name() const { return name_; }
  [[nodiscard]] std::uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }

  /// Every probe of this program, by name.
  [[nodiscard]] static std::vector<const Probe*> all();
  /// From now on they count. Before any other thread begins.
  static void arm() { is_armed = true; }
  [[nodiscard]] static bool armed() { return is_armed; }

 private:
  static inline Probe* newest = nullptr;
  static inline bool is_armed = false;

  const char* name_;
  Probe* next_;
  std::atomic<std::uint64_t> hits_ = 0;
};

/// A literal as a template's argument.
template <std::size_t Size>
struct ProbeName {
  consteval ProbeName(const char (&literal)[Size]) {  // NOLINT(google-explicit-constructor)
    std::copy_n(literal, Size, text);
  }
  char text[Size]{};
};

template <ProbeName Name>
struct ProbeNamed {
  static inline Probe probe{Name.text};
};

}  // namespace stator

#define STATOR_PROBE(name)                                                                      \
  (__builtin_expect(::stator::Probe::armed(), 0) != 0 ? ::stator::ProbeNamed<name>::probe.hit() \
                                                      : static_cast<void>(0))
