#pragma once

#include <atomic>
#include <cstdint>
#include <string>

// What a node has done since it started, for STATS. A measurement is the difference of two STATS.

namespace stator::limit {

/// Written by the loop thread only, except where said.
struct Counters {
  std::uint64_t sets = 0;           // answered to clients
  std::uint64_t gets = 0;           // answered to clients
  std::uint64_t replica_puts = 0;   // carried out for a peer
  std::uint64_t replica_gets = 0;   // answered to a peer
  std::uint64_t digest_misses = 0;  // reads that had to fetch a newer value in a second trip
  std::uint64_t turns = 0;          // of the event loop
  std::uint64_t wait_calls = 0;     // epoll_wait
  std::uint64_t receive_calls = 0;
  std::uint64_t send_calls = 0;
  std::uint64_t other_calls = 0;  // accept, close, epoll_ctl, reads of the event descriptor
  std::atomic<std::uint64_t> log_calls = 0;  // pwrite and fdatasync; also by the sync thread
};

/// The text of STATS: one `name:value` per line, CPU times from getrusage in microseconds.
[[nodiscard]] std::string describe(const Counters& counters);

/// malloc, calloc and realloc of the whole process since its start (0 in a sanitizer build, where
/// the sanitizer owns malloc).
[[nodiscard]] std::uint64_t allocation_count();

}  // namespace stator::limit
