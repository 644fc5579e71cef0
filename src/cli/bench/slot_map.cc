#include "cli/bench/slot_map.h"

#include <algorithm>
#include <string>
#include <utility>

#include "cli/bench/reply.h"

namespace stator::bench {

namespace {

std::uint16_t index_of(std::vector<env::Address>& nodes, env::Address address) {
  const auto found = std::find(nodes.begin(), nodes.end(), address);
  const auto index = static_cast<std::uint16_t>(found - nodes.begin());
  if (found == nodes.end()) nodes.push_back(std::move(address));
  return index;
}

// [first slot, last slot, [host, port, id...], replicas...]
bool read_run(ReplyReader& reader, const env::Address& asked, SlotMap& map) {
  const Reply run = reader.next();
  if (!run.is(ReplyType::kArray) || run.integer < 3) return false;
  const Reply first = reader.next();
  const Reply last = reader.next();
  const Reply endpoint = reader.next();
  if (!first.is(ReplyType::kInteger) || !last.is(ReplyType::kInteger) ||
      !endpoint.is(ReplyType::kArray) || endpoint.integer < 2) {
    return false;
  }
  const Reply host = reader.next();
  const Reply port = reader.next();
  if (!port.is(ReplyType::kInteger) || port.integer < 1 || port.integer > 65'535) return false;
  for (std::int64_t i = 2; i < endpoint.integer; ++i) reader.skip();
  for (std::int64_t i = 3; i < run.integer; ++i) reader.skip();
  if (first.integer < 0 || last.integer >= kSlots || first.integer > last.integer) return false;
  const std::string name(host.text.empty() ? std::string_view(asked.host) : host.text);
  const std::uint16_t node = index_of(map.nodes, {name, static_cast<std::uint16_t>(port.integer)});
  std::fill(map.owner.begin() + first.integer, map.owner.begin() + last.integer + 1, node);
  return true;
}

}  // namespace

Result<SlotMap> parse_slots(std::string_view reply, const env::Address& asked) {
  ReplyReader reader(reply);
  const Reply all = reader.next();
  if (all.is(ReplyType::kError)) {
    return std::unexpected(
        Error{.code = ErrorCode::kNotSupported, .detail = std::string(all.text)});
  }
  SlotMap map;
  map.owner.fill(SlotMap::kNobody);
  bool good = all.is(ReplyType::kArray) && all.integer <= kSlots;
  for (std::int64_t i = 0; good && i < all.integer; ++i) good = read_run(reader, asked, map);
  if (!good) {
    return std::unexpected(Error{.code = ErrorCode::kCorrupt,
                                 .detail = "the answer to CLUSTER SLOTS cannot be understood"});
  }
  return map;
}

}  // namespace stator::bench
