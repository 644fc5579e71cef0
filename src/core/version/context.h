#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "base/small_vector.h"
#include "core/version/clock.h"
#include "core/version/hlc.h"
#include "core/version/object.h"

// The context of paper 4.1: what a client saw, opaque to it, handed back with its next write. It
// names the versions seen, the latest time among them (so that the next write is stamped later),
// and the node that answered the read fastest, which coordinates the write that follows (paper 5).

namespace stator {

struct SeenVersion {
  Dot dot{};
  std::uint64_t first_counter = 0;  // as in Version
  WriteId write_id{};               // empty for an event of a cloud, whose id is not known

  [[nodiscard]] Dot event() const { return {dot.actor, first_counter}; }
};

struct Context {
  Clock clock;  // the vector read
  /// What the clock does not say: the ids of versions read (only of retryable writes, for the
  /// guards), the cloud of what was read, and own writes since, one per actor.
  SmallVector<SeenVersion, 2> seen;
  Hlc time{};        // the latest time among the versions seen
  NodeId fastest{};  // 0: none

  [[nodiscard]] bool covers(const Version& version) const;
  [[nodiscard]] bool empty() const { return clock.empty() && seen.empty(); }
  void clear();
};

/// The context of a read that returned `object`: all of it was seen, tombstones too.
void make_context(const Object& object, NodeId fastest, Context& out);

/// The context after a put: the writer's own plus this write, not what others wrote meanwhile
/// (design 2.3). Of everything seen of the same actor only this write is kept: its object covers
/// the rest, and a context is extended only by a write that was acknowledged, hence durable.
void extend_context(Context& context, const Version& own_write);

/// Longest encoded context that is accepted, in bytes.
inline constexpr std::size_t kContextBytesMax = 16 * 1024;

/// Binary form: version byte, fields, 64-bit checksum keyed by `secret` over fields and over
/// (bucket, key), so that a context of another key, of another cluster (secret = hash of the
/// cluster id), a cut one and a random one are refused. docs/format/context.md.
void encode_context(const Context& context, std::string_view bucket, std::string_view key,
                    std::uint64_t secret, std::string& out);
[[nodiscard]] Result<void> decode_context(std::string_view bytes, std::string_view bucket,
                                          std::string_view key, std::uint64_t secret, Context& out);

/// The same in base64url without padding, for HTTP headers, the shell and RESP.
void encode_context_text(const Context& context, std::string_view bucket, std::string_view key,
                         std::uint64_t secret, std::string& out);
[[nodiscard]] Result<void> decode_context_text(std::string_view text, std::string_view bucket,
                                               std::string_view key, std::uint64_t secret,
                                               Context& out);

}  // namespace stator
