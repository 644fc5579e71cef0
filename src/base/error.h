#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "base/ids.h"

// Operating failures: what a sick cluster, a full disk or a bad input produces. A small enum and a
// few typed facts, no heap for the common codes; the text is made only when it is printed. Outcomes
// of the protocol (not found, siblings) are not errors; bugs are STATOR_ASSERT.

namespace stator {

enum class ErrorCode : std::uint8_t {
  kBadRequest,       // the request is malformed; repeating it will not help
  kBadContext,       // the context is cut, random, of another key or of another cluster
  kTooLarge,         // a key, bucket, value, context or frame over its limit
  kTooManySiblings,  // a client write that would leave more siblings than the limit
  kOverloaded,       // refused at the door: try again later
  kTooFewNodes,      // fewer reachable nodes than asked for: `needed`, `got`
  kTimeout,          // the deadline passed: `needed`, `got`
  kHistoryMismatch,  // peers hold different membership histories: again when they have met
  kNotMember,        // this node (or the asked one) is no member of the cluster
  kUnreadable,       // a stored record is damaged: never to be taken for "not found"
  kDiskFull,
  kIo,            // a file or socket operation failed
  kCorrupt,       // a file or frame fails its checksum or its format
  kNotSupported,  // a newer version of a format, or an option that this build lacks
  kClosed,        // the node is stopping, or the peer's connection ended
  kConflict,      // the directory or the address is in use, or belongs to something else
  // A retry under a write id that nobody remembers any more: not applied now, unknown before.
  kWriteIdExpired,
};

/// What became of a write (D8). `kNotApplied` is a promise that it will never be visible.
enum class Outcome : std::uint8_t { kOk, kNotApplied, kUnknown };

struct Error {
  ErrorCode code = ErrorCode::kIo;
  std::uint8_t needed = 0;  // replicas asked for, where the code has it
  std::uint8_t got = 0;     // replicas that answered, where the code has it
  NodeId node{};            // the node that it happened on, where the code has it
  std::string detail{};     // empty on the request path; a sentence for operators elsewhere
};

template <typename T>
using Result = std::expected<T, Error>;

/// `kTooFewNodes` -> "too_few_nodes": the stable name in JSON, logs and metrics.
[[nodiscard]] const char* to_string(ErrorCode code);
[[nodiscard]] const char* to_string(Outcome outcome);

}  // namespace stator
