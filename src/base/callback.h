#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include "base/assert.h"

namespace stator {

template <typename Signature>
class Callback;

/// A move-only function that never allocates: what it captures must fit into 48 bytes (checked when
/// compiled). Used for everything that runs later on a loop. Calling an empty one is a bug.
///
/// A request hands a dozen of them on, nearly all of which capture numbers and plain pointers:
/// these move as bytes, and end without a call.
template <typename R, typename... Args>
class Callback<R(Args...)> {
 public:
  static constexpr std::size_t kCapacity = 48;

  Callback() = default;
  Callback(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): reads as "no callback"
  template <typename F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Callback> &&
             std::is_invocable_r_v<R, std::remove_cvref_t<F>&, Args...>)
  Callback(F&& function) {  // NOLINT(google-explicit-constructor): a lambda is a callback
    using Stored = std::remove_cvref_t<F>;
    static_assert(sizeof(Stored) <= kCapacity, "capture less: a callback never allocates");
    static_assert(alignof(Stored) <= alignof(std::max_align_t));
    static_assert(std::is_nothrow_move_constructible_v<Stored>);
    // What the captures leave is copied with them.
    if constexpr (kPlain<Stored>) std::memset(storage_, 0, kCapacity);
    new (storage_) Stored(std::forward<F>(function));
    call_ = [](void* self, Args... args) -> R {
      return (*static_cast<Stored*>(self))(std::forward<Args>(args)...);
    };
    if constexpr (!kPlain<Stored>) {
      manage_ = [](void* self, void* target) {
        auto* stored = static_cast<Stored*>(self);
        if (target != nullptr) new (target) Stored(std::move(*stored));
        stored->~Stored();
      };
    }
  }
  Callback(Callback&& other) noexcept { take(other); }
  Callback& operator=(Callback&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;
  ~Callback() { reset(); }

  explicit operator bool() const { return call_ != nullptr; }
  R operator()(Args... args) {
    STATOR_ASSERT(call_ != nullptr);
    return call_(storage_, std::forward<Args>(args)...);
  }
  void reset() {
    if (manage_ != nullptr) manage_(storage_, nullptr);
    call_ = nullptr;
    manage_ = nullptr;
  }

 private:
  template <typename Stored>
  static constexpr bool kPlain = std::is_trivially_copyable_v<Stored>;

  // This one is empty.
  void take(Callback& other) {
    if (other.manage_ != nullptr) {
      other.manage_(other.storage_, storage_);
    } else if (other.call_ != nullptr) {
      std::memcpy(storage_, other.storage_, kCapacity);
    }
    call_ = std::exchange(other.call_, nullptr);
    manage_ = std::exchange(other.manage_, nullptr);
  }

  alignas(std::max_align_t) std::byte storage_[kCapacity];
  R (*call_)(void*, Args...) = nullptr;
  void (*manage_)(void*, void*) = nullptr;  // nullptr: nothing to do, or empty
};

}  // namespace stator
