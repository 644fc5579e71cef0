#pragma once

#include <cstdint>
#include <string_view>

#include "front/redis/command.h"
#include "node/store.h"

// Commands of several keys (MGET, MSET, DEL, EXISTS): each key is read or written for itself, some
// of them at a time, on whatever nodes they live. After the first failure no further key is begun,
// and the answer says how far it came.

namespace stator::redis {

/// Begins part `index` of the command; it ends with part_done, at once or later.
using StartPart = void (*)(Command& command, std::uint32_t index);
/// Answers and finishes the command, when all begun parts have ended.
using EndParts = void (*)(Command& command);

/// Keys under way at a time, of one command.
inline constexpr std::uint32_t kPartsOpenMax = 64;

/// Keeps the words and makes one part for each of its keys, which are every `step` words from the
/// first. With `once`, a key that is named more than once has one part: its last.
void make_parts(Call& call, std::size_t step, bool once);
void run_parts(Command& command, StartPart start, EndParts end);
void part_done(Command& command);
void part_failed(Command& command, const Error& error);
void part_failed(Command& command, const node::WriteResult& result);
/// The answer to a write that did not come through for every key.
void answer_failed_writes(Command& command);

[[nodiscard]] inline std::string_view key_of(const Command& command, std::uint32_t part) {
  return command.words[command.parts.list[part].word];
}

}  // namespace stator::redis
