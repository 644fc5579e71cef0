#include "wire/codes.h"

namespace stator::wire {

std::uint8_t to_wire(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadRequest: return 1;
    case ErrorCode::kBadContext: return 2;
    case ErrorCode::kTooLarge: return 3;
    case ErrorCode::kTooManySiblings: return 4;
    case ErrorCode::kOverloaded: return 5;
    case ErrorCode::kTooFewNodes: return 6;
    case ErrorCode::kTimeout: return 7;
    case ErrorCode::kHistoryMismatch: return 8;
    case ErrorCode::kNotMember: return 9;
    case ErrorCode::kUnreadable: return 10;
    case ErrorCode::kDiskFull: return 11;
    case ErrorCode::kIo: return 12;
    case ErrorCode::kCorrupt: return 13;
    case ErrorCode::kNotSupported: return 14;
    case ErrorCode::kClosed: return 15;
    case ErrorCode::kConflict: return 16;
    case ErrorCode::kWriteIdExpired: return 17;
  }
  return 12;  // not an enumerator: a broken caller must not break its peer
}

ErrorCode error_code_from_wire(std::uint8_t number) {
  switch (number) {
    case 1: return ErrorCode::kBadRequest;
    case 2: return ErrorCode::kBadContext;
    case 3: return ErrorCode::kTooLarge;
    case 4: return ErrorCode::kTooManySiblings;
    case 5: return ErrorCode::kOverloaded;
    case 6: return ErrorCode::kTooFewNodes;
    case 7: return ErrorCode::kTimeout;
    case 8: return ErrorCode::kHistoryMismatch;
    case 9: return ErrorCode::kNotMember;
    case 10: return ErrorCode::kUnreadable;
    case 11: return ErrorCode::kDiskFull;
    case 13: return ErrorCode::kCorrupt;
    case 14: return ErrorCode::kNotSupported;
    case 15: return ErrorCode::kClosed;
    case 16: return ErrorCode::kConflict;
    case 17: return ErrorCode::kWriteIdExpired;
    default: return ErrorCode::kIo;
  }
}

}  // namespace stator::wire
