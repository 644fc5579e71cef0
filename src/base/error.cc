#include "base/error.h"

namespace stator {

const char* to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadRequest: return "bad_request";
    case ErrorCode::kBadContext: return "bad_context";
    case ErrorCode::kTooLarge: return "too_large";
    case ErrorCode::kTooManySiblings: return "too_many_siblings";
    case ErrorCode::kOverloaded: return "overloaded";
    case ErrorCode::kTooFewNodes: return "too_few_nodes";
    case ErrorCode::kTimeout: return "timeout";
    case ErrorCode::kHistoryMismatch: return "history_mismatch";
    case ErrorCode::kNotMember: return "not_member";
    case ErrorCode::kUnreadable: return "unreadable";
    case ErrorCode::kDiskFull: return "disk_full";
    case ErrorCode::kIo: return "io_error";
    case ErrorCode::kCorrupt: return "corrupt";
    case ErrorCode::kNotSupported: return "not_supported";
    case ErrorCode::kClosed: return "closed";
    case ErrorCode::kConflict: return "conflict";
    case ErrorCode::kWriteIdExpired: return "write_id_expired";
  }
  return "unknown_error";
}

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk: return "ok";
    case Outcome::kNotApplied: return "not_applied";
    case Outcome::kUnknown: return "unknown";
  }
  return "unknown";
}

}  // namespace stator
