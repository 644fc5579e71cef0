#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/ring/position.h"
#include "front/redis/errors.h"
#include "front/redis/glob.h"
#include "front/redis/handlers.h"
#include "front/redis/redis_front.h"
#include "front/redis/text.h"

namespace stator::redis {
namespace {

constexpr std::uint64_t kCountMax = 10'000;

// Command::mode
constexpr std::uint8_t kNothingMatches = 1;

bool refuse(Call& call, std::string_view reason) {
  call.command.reply().error("ERR", reason);
  call.command.finish();
  return false;
}

// Options behind the cursor. The pattern stays in `scratch`; without one it is "*".
bool parse_options(Call& call, node::ScanRequest& request) {
  Command& command = call.command;
  command.scratch.assign("*");
  for (std::size_t i = 2; i < call.words.size(); i += 2) {
    const std::string_view option = call.words[i];
    if (i + 1 == call.words.size()) {
      return refuse(call, "syntax error: SCAN cursor [MATCH pattern] [COUNT n] [TYPE string]");
    }
    const std::string_view value = call.words[i + 1];
    if (equal_ignoring_case(option, "match")) {
      if (value.size() > kGlobBytesMax) return refuse(call, "the pattern is over 1024 bytes");
      command.scratch.assign(value);
    } else if (equal_ignoring_case(option, "count")) {
      const auto count = parse_integer(value);
      if (!count || *count < 1) return refuse(call, "COUNT must be a number from 1 on");
      request.count =
          static_cast<std::uint32_t>(std::min(static_cast<std::uint64_t>(*count), kCountMax));
    } else if (equal_ignoring_case(option, "type")) {
      if (!equal_ignoring_case(value, "string")) command.mode = kNothingMatches;
    } else {
      return refuse(call, "syntax error: SCAN cursor [MATCH pattern] [COUNT n] [TYPE string]");
    }
  }
  return true;
}

void answer(Command& command, const node::ScanResult& result) {
  std::size_t steps = kGlobStepsMax;
  std::vector<std::string_view> wanted;
  for (const node::ScannedKey& found : result.keys) {
    if (command.mode == kNothingMatches || found.bucket != kDefaultBucket) continue;
    if (glob_match(command.scratch, found.key, steps)) wanted.push_back(found.key);
  }
  RespWriter out = command.reply();
  if (steps == 0) {
    out.error("ERR", "the pattern takes too long on these keys; use a simpler one");
    command.finish();
    return;
  }
  std::string cursor;
  append_number(cursor, result.next);
  out.array(2);
  out.bulk(cursor);
  out.array(wanted.size());
  for (const std::string_view key : wanted) out.bulk(key);
  command.finish();
}

}  // namespace

void do_scan(Call& call) {
  node::ScanRequest request;
  const auto cursor = parse_unsigned(call.words[1]);
  if (!cursor) {
    refuse(call, "invalid cursor; 0 begins, then the cursor of the last answer");
    return;
  }
  request.cursor = *cursor;
  if (!parse_options(call, request)) return;
  call.front.store().scan(request,
                          [&command = call.command](const Result<node::ScanResult>& result) {
                            if (result) {
                              answer(command, *result);
                              return;
                            }
                            RespWriter out = command.reply();
                            write_error(out, result.error());
                            command.finish();
                          });
}

void do_dbsize(Call& call) {
  call.front.store().count_published_keys(
      [&command = call.command](const Result<std::uint64_t>& keys) {
        RespWriter out = command.reply();
        if (keys) {
          out.integer(static_cast<std::int64_t>(*keys));
        } else {
          write_error(out, keys.error());
        }
        command.finish();
      });
}

}  // namespace stator::redis
