#pragma once

#include <string_view>

#include "base/error.h"
#include "front/redis/resp_writer.h"
#include "node/store.h"

// The one table from errors of the store to what a Redis client reads. Every line is
// `-PREFIX facts: what it means; what to do`.
//
// Prefixes that clients retry by themselves: TRYAGAIN is sent only where nothing was and nothing
// will be applied; MOVED, ASK, CLUSTERDOWN and LOADING never.

namespace stator::redis {

/// Of a read, or of a write that was not applied.
void write_error(RespWriter& out, const Error& error);
/// Of a write whose outcome is not ok.
void write_outcome(RespWriter& out, const node::WriteResult& result);

/// Of a whole answer: nothing was and nothing will be applied, and now is no time for more.
[[nodiscard]] bool is_try_again(std::string_view answer);

void wrong_arity(RespWriter& out, std::string_view command);

}  // namespace stator::redis
