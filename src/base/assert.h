#pragma once

// Programmer errors: a broken invariant stops the process at once, in every build.
// What a peer, a client, a disk or an operator can cause is never an assertion; it is a value.

namespace stator {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace stator

/// Aborts with the condition, its place and a backtrace when `condition` is false. On in release
/// builds.
#define STATOR_ASSERT(condition)                     \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::stator::assertion_failed(#condition, __FILE__, __LINE__))
