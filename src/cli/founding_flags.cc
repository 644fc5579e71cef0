#include "cli/founding_flags.h"

#include <string_view>
#include <utility>

#include "cli/setting_values.h"
#include "env/network.h"

namespace stator::cli {

namespace {

constexpr std::uint64_t kPartitions = 1024;
constexpr std::uint64_t kReplicas = 3;

std::unexpected<Error> bad(std::string detail) {
  return std::unexpected(Error{.code = ErrorCode::kBadRequest, .detail = std::move(detail)});
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

Result<Member> parse_founder(std::string_view text) {
  const std::string shown = "--found: '" + std::string(text) + "': ";
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos) {
    return bad(shown + "write NAME=HOST:PORT, as in n1=10.0.0.1:7381");
  }
  Member member;
  member.name = text.substr(0, equals);
  const auto parts = split(text.substr(equals + 1), '/');
  if (parts.size() > 3) return bad(shown + "write NAME=HOST:PORT/ZONE/WEIGHT at most");
  const auto address = env::parse_address(parts[0]);
  if (!address) return bad(shown + address.error().detail);
  if (address->port == 0) return bad(shown + "the other founders must know the port");
  member.peer_address = env::to_string(*address);
  if (parts.size() > 1) member.zone = parts[1];
  if (parts.size() > 2) {
    const auto weight = parse_number(parts[2]);
    if (!weight) return bad(shown + "weight " + weight.error().detail);
    member.weight = *weight;
  }
  return member;
}

Result<std::uint8_t> parse_quorum(const char* flag, const std::optional<std::string>& text,
                                  std::uint64_t replicas) {
  if (!text) return static_cast<std::uint8_t>(replicas / 2 + 1);
  const auto count = parse_count(*text);
  if (!count) return bad(std::string(flag) + ": " + count.error().detail);
  if (*count < 1 || *count > replicas) {
    return bad(std::string(flag) + ": '" + *text + "' is out of range: 1 to " +
               std::to_string(replicas) + ", the number of replicas");
  }
  return static_cast<std::uint8_t>(*count);
}

bool listens_on(const env::Address& listen, const env::Address& announced) {
  const bool everywhere = listen.host == "0.0.0.0" || listen.host == "::";
  return listen == announced || (listen.port == announced.port &&
                                 (everywhere || (is_loopback(listen) && is_loopback(announced))));
}

}  // namespace

void FoundingFlags::add_options(std::vector<Option>& options) {
  options.push_back(
      {"--cluster-id", "ID", "with --found: the name of the new cluster", &cluster_id});
  options.push_back(
      {"--found", "NAME=A:P,...",
       "create a cluster of these nodes and peer addresses; the same on each of them. "
       "Each may go on as NAME=A:P/ZONE/WEIGHT",
       &founders});
  options.push_back({"--partitions", "Q",
                     "with --found: partitions of the ring, a power of two, fixed for ever "
                     "(default 1024)",
                     &partitions});
  options.push_back({"--replicas", "N",
                     "with --found: copies of each key, fixed for ever (default 3)", &replicas});
  options.push_back({"--read-quorum", "R",
                     "with --found: replicas heard before a read is answered (default: more than "
                     "half of N)",
                     &read_quorum});
  options.push_back({"--write-quorum", "W",
                     "with --found: replicas that hold a write before it is acknowledged (default: "
                     "more than half of N)",
                     &write_quorum});
}

std::string_view FoundingFlags::first_that_needs_found() const {
  if (!cluster_id.empty()) return "--cluster-id";
  if (partitions) return "--partitions";
  if (replicas) return "--replicas";
  if (read_quorum) return "--read-quorum";
  return write_quorum ? "--write-quorum" : "";
}

Result<std::vector<Member>> parse_founders(const std::string& text) {
  std::vector<Member> members;
  for (const std::string_view part : split(text, ',')) {
    auto member = parse_founder(part);
    if (!member) return std::unexpected(std::move(member.error()));
    members.push_back(std::move(*member));
  }
  return members;
}

Result<Founding> make_founding(const FoundingFlags& flags) {
  if (flags.cluster_id.empty()) {
    return bad("--found needs --cluster-id ID: clusters of different ids never mix");
  }
  const std::uint64_t replicas = flags.replicas.value_or(kReplicas);
  const std::uint64_t partitions = flags.partitions.value_or(kPartitions);
  if (replicas < 1 || replicas > 7) {
    return bad("--replicas: '" + std::to_string(replicas) + "' is out of range: 1 to 7");
  }
  if (partitions > 16384) {
    return bad("--partitions: '" + std::to_string(partitions) + "' is out of range: 16 to 16384");
  }
  const auto r = parse_quorum("--read-quorum", flags.read_quorum, replicas);
  if (!r) return std::unexpected(r.error());
  const auto w = parse_quorum("--write-quorum", flags.write_quorum, replicas);
  if (!w) return std::unexpected(w.error());
  auto founders = parse_founders(flags.founders);
  if (!founders) return std::unexpected(std::move(founders.error()));
  Founding founding{.cluster_id = flags.cluster_id,
                    .q = static_cast<std::uint32_t>(partitions),
                    .n = static_cast<std::uint8_t>(replicas),
                    .r = *r,
                    .w = *w,
                    .founders = std::move(*founders)};
  if (auto complete = complete_founding(founding); !complete) {
    return bad("--found: " + complete.error().detail);
  }
  return founding;
}

Result<void> agree_with_founding(Loaded& loaded, const Founding& founding) {
  node::NodeOptions& options = loaded.settings.node;
  const Member* self = nullptr;
  for (const Member& founder : founding.founders) {
    if (founder.name == options.name) self = &founder;
  }
  if (self == nullptr) {
    return bad("--found does not name this node, '" + options.name +
               "': add it there, or give the right --name");
  }
  const auto chosen = [&](const char* key) {
    const auto at = loaded.sources.find(key);
    return at != loaded.sources.end() && at->second != Source::kDefault;
  };
  if (chosen("zone") && options.zone != self->zone) {
    return bad("--zone '" + options.zone + "' and --found (zone '" + self->zone +
               "') disagree: write it in --found, as NAME=A:P/ZONE, on every founder");
  }
  options.zone = self->zone;
  if (chosen("weight") && options.weight != self->weight) {
    return bad("--weight " + show_number(options.weight) + " and --found (weight " +
               show_number(self->weight) +
               ") disagree: write it in --found, as NAME=A:P/ZONE/WEIGHT, on every founder");
  }
  options.weight = self->weight;
  const auto address = env::parse_address(self->peer_address);
  STATOR_ASSERT(address.has_value());
  if (!chosen("peer_announce")) {
    if (!listens_on(options.peer_listen, *address)) {
      return bad("--found says that peers reach '" + self->name + "' at " + self->peer_address +
                 ", but it listens at " + env::to_string(options.peer_listen) +
                 ": give --peer-listen " + self->peer_address + ", or --peer-announce " +
                 self->peer_address + " if addresses are translated on the way");
    }
    options.peer_announced = *address;
  }
  return {};
}

std::string listens_elsewhere(const node::NodeOptions& options, const std::string& name,
                              const std::string& founded_at) {
  const auto address = env::parse_address(founded_at);
  if (!address || !options.peer_announced.host.empty()) return {};
  if (listens_on(options.peer_listen, *address)) return {};
  return "peers reach '" + name + "' at " + founded_at + ", but this process listens at " +
         env::to_string(options.peer_listen) +
         " and may hear from nobody: if its disk is a copy of another machine's, end it "
         "(docs/ops/two-processes.md); else give --peer-listen " +
         founded_at + ", or --peer-announce " + founded_at +
         " if addresses are translated on the way";
}

}  // namespace stator::cli
