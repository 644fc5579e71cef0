// Hostile bytes from a client. The first byte says how the rest is cut into deliveries. What comes
// out must not depend on the cuts, and no view may point outside of what was delivered.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "front/redis/command_table.h"
#include "front/redis/glob.h"
#include "front/redis/refusals.h"
#include "front/redis/resp_parser.h"
#include "front/redis/resp_writer.h"
#include "front/redis/text.h"

namespace {

using namespace stator::redis;

// Small, so that the limits are met.
constexpr ParserLimits kLimits{
    .bulk_bytes_max = 64, .command_bytes_max = 256, .arguments_max = 16, .inline_bytes_max = 128};

using Commands = std::vector<std::vector<std::string>>;

void use(Arguments words) {
  const CommandRow* row = find_command(words);
  if (row != nullptr && row->accepts(words.size())) {
    for_each_key(*row, words, [](std::string_view key) { STATOR_ASSERT(key.data() != nullptr); });
  }
  static_cast<void>(find_refusal(words[0]));
  static_cast<void>(parse_integer(words.back()));
  static_cast<void>(parse_write_id(words.back()));
  std::size_t steps = 10'000;
  static_cast<void>(glob_match(words[0], words.back(), steps));
  std::string out;
  RespWriter writer(out, 3);
  writer.error("ERR", words.back());
  STATOR_ASSERT(out.find("\r\n") == out.size() - 2);
}

// Delivers `input` in pieces of `piece` bytes (0: whole). Stops where the parser does; `status`
// says why.
Commands feed(std::string_view input, std::size_t piece, ParseStatus& status) {
  RespParser parser;
  ArgumentList list;
  Commands commands;
  std::size_t consumed = 0;
  std::size_t arrived = 0;
  while (arrived < input.size()) {
    arrived = piece == 0 ? input.size() : std::min(arrived + piece, input.size());
    while (consumed < arrived) {
      // A block of its own, so that a view past its end is seen.
      const std::vector<char> block(input.begin() + static_cast<std::ptrdiff_t>(consumed),
                                    input.begin() + static_cast<std::ptrdiff_t>(arrived));
      const Parsed parsed = parser.next({block.data(), block.size()}, kLimits, list);
      status = parsed.status;
      if (status == ParseStatus::kIncomplete) {
        static_cast<void>(RespParser::name_of({block.data(), block.size()}));
        STATOR_ASSERT(block.size() <= kLimits.command_bytes_max + 64);
        break;
      }
      if (status != ParseStatus::kCommand) return commands;
      STATOR_ASSERT(parsed.consumed > 0 && parsed.consumed <= block.size());
      consumed += parsed.consumed;
      if (list.views.empty()) continue;
      STATOR_ASSERT(list.views.size() <= std::max(kLimits.arguments_max, 128U));
      commands.emplace_back(list.views.begin(), list.views.end());
      use(list.all());
    }
  }
  return commands;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  ParseStatus whole_status = ParseStatus::kIncomplete;
  ParseStatus cut_status = ParseStatus::kIncomplete;
  const Commands whole = feed(input, 0, whole_status);
  const Commands cut = feed(input, 1U + data[0] % 32, cut_status);
  STATOR_ASSERT(whole == cut);
  STATOR_ASSERT(whole_status == cut_status);
  return 0;
}
