#pragma once

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

/// Of a frame that reads or writes one record here; nothing for any other. The checksum is not
/// looked at: what comes back is a guess, good for fetching memory ahead and for nothing else.
[[nodiscard]] std::optional<RecordPlace> peek_record(std::string_view frame);

}  // namespace stator::wire
