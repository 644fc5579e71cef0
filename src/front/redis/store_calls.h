#pragma once

#include <string_view>

#include "core/ring/position.h"
#include "core/version/object.h"
#include "front/redis/command.h"
#include "node/store.h"

// Calls of the store in the shape that commands need. What goes wrong is answered here: `then` is
// called on success only, and finishes the command or begins its next step. Captures are the
// command and a function, so that nothing is allocated.

namespace stator::redis {

/// What a plain Redis read for this command sees: the newest version, unless that is deleted or has
/// expired. The command has then seen it, and the key is counted (INFO, keyspace_hits).
[[nodiscard]] const Version* take_read(Command& command, const node::ReadResult& result);

using ReadThen = void (*)(Command& command, const node::ReadResult& result, const Version* living);
void read_then(Command& command, std::string_view key, ReadThen then,
               const node::ReadQuorum& quorum = {});

/// A plain write of this command's connection (design 2.4).
[[nodiscard]] node::WriteRequest plain_write(const Command& command, std::string_view key);

using WriteThen = void (*)(Command& command, const node::WriteResult& result);
void write_then(Command& command, const node::WriteRequest& request, WriteThen then);

/// The usual last steps.
void answer_ok(Command& command, const node::WriteResult& result);
void answer_one(Command& command, const node::WriteResult& result);

}  // namespace stator::redis
