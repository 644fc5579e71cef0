#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ids.h"

namespace stator::wire {

/// Which record a frame is about.
struct RecordPlace {
  PartitionId partition{};
  std::string_view bucket{};  // views into the frame
  std::string_view key{};
};

// Neither the checksum is looked at nor what stands behind the place: what comes back is a guess,
// good for fetching memory ahead and for nothing else.

/// Of a frame that reads or writes one record here; nothing for any other.
[[nodiscard]] std::optional<RecordPlace> peek_record(std::string_view frame);
/// Of a frame that answers a request from here; nothing for any other.
[[nodiscard]] std::optional<std::uint64_t> peek_answered(std::string_view frame);

}  // namespace stator::wire
