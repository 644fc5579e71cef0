#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "core/version/object.h"
#include "front/http/readiness.h"
#include "node/store.h"

// The JSON answers (docs/http.md): their fields are stable, more may be added. Each ends with a
// line feed. Bytes that are not UTF-8 are shown as U+FFFD; where the bytes themselves matter there
// is a field in base64 beside.

namespace stator::http {

/// Of a value that was stored without one, as everything is that comes by another protocol.
inline constexpr std::string_view kDefaultContentType = "application/octet-stream";

/// A 300: the context of the read and every living version.
[[nodiscard]] std::string siblings_json(std::string_view context_text, const Object& object,
                                        WallTime now);
/// kCorrupt when an object in it cannot be decoded, which is a bug of the sender.
[[nodiscard]] Result<std::string> explain_json(std::string_view bucket, std::string_view key,
                                               const node::Explanation& explanation, WallTime now);
[[nodiscard]] std::string status_json(const node::ClusterView& cluster,
                                      const node::NodeStatus& status, const Readiness& readiness,
                                      bool draining);
/// What this node keeps for others, and how fast it goes to them.
[[nodiscard]] std::string hints_json(const node::ClusterView& cluster,
                                     const node::NodeStatus& status);
/// The whole ring: how the places are spread, and who owns which run of partitions.
[[nodiscard]] std::string ring_json(const node::ClusterView& cluster);
/// `partition` < cluster.q.
[[nodiscard]] std::string partition_json(const node::ClusterView& cluster, std::uint32_t partition);
[[nodiscard]] std::string readiness_json(const Readiness& readiness);

}  // namespace stator::http
