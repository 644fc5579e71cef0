#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "storage/record.h"

namespace stator::storage::testing {

/// A record as a node leaves it in its engine.
[[nodiscard]] inline std::string sealed_record(PartitionId partition, std::string_view key,
                                               const RecordHeader& header,
                                               std::string_view payload) {
  std::string record;
  const std::size_t offset = begin_record(record);
  record.append(payload);
  finish_record(record, offset, partition, key, header);
  return record;
}

}  // namespace stator::storage::testing
