#include "cli/bench_options.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cli/setting_values.h"

namespace stator::cli {

namespace {

constexpr std::uint64_t kConnectionsMax = 10'000;
constexpr std::uint64_t kPipelineMax = 1'000;
constexpr std::uint64_t kValueMax = 16ULL << 20;  // the hard cap of design 2.5
constexpr std::uint64_t kPrefixMax = 1'024;
constexpr std::uint64_t kCheckedKeysMax = 10'000'000;
constexpr double kRateMax = 10e6;
constexpr std::int64_t kLongestSeconds = 30LL * 24 * 3600;

std::unexpected<Error> bad(std::string detail) {
  return std::unexpected(Error{.code = ErrorCode::kBadRequest, .detail = std::move(detail)});
}

Result<void> in_range(const char* option, std::uint64_t value, std::uint64_t min,
                      std::uint64_t max) {
  if (value >= min && value <= max) return {};
  return bad(std::string(option) + ": " + std::to_string(value) +
             " is out of range: " + std::to_string(min) + " to " + std::to_string(max));
}

Result<Duration> time_of(const char* option, const std::string& text, Duration min) {
  auto time = parse_duration(text);
  if (!time) return bad(std::string(option) + ": " + time.error().detail);
  if (*time < min || *time > seconds(kLongestSeconds)) {
    return bad(std::string(option) + ": '" + text + "' is out of range: " + show_duration(min) +
               " to " + show_duration(seconds(kLongestSeconds)));
  }
  return *time;
}

// "A:P,A:P", any number of times.
Result<std::vector<env::Address>> addresses(const std::vector<std::string>& given) {
  std::vector<env::Address> all;
  for (const std::string& list : given) {
    for (std::size_t at = 0; at <= list.size();) {
      const std::size_t end = std::min(list.find(',', at), list.size());
      auto address = env::parse_address(std::string_view(list).substr(at, end - at));
      if (!address) return bad("--redis: " + address.error().detail);
      all.push_back(std::move(*address));
      at = end + 1;
    }
  }
  return all;
}

Result<void> check_numbers(const BenchOptions& given) {
  if (auto ok = in_range("--connections", given.connections, 1, kConnectionsMax); !ok) return ok;
  if (auto ok = in_range("--pipeline", given.pipeline, 1, kPipelineMax); !ok) return ok;
  if (auto ok = in_range("--keys", given.keys, 1, bench::KeyChooser::kCountMax); !ok) return ok;
  if (!(given.zipf >= 0 && given.zipf <= 10)) {
    return bad("--zipf: " + show_number(given.zipf) + " is out of range: 0 to 10");
  }
  // Slower than one in a hundred seconds is no load; faster than this no loop can send.
  if (given.rate != 0 && !(given.rate >= 0.01 && given.rate <= kRateMax)) {
    return bad("--rate: " + show_number(given.rate) + " is out of range: 0.01 to 10000000");
  }
  if (given.prefix.size() > kPrefixMax) {
    return bad("--prefix: longer than " + std::to_string(kPrefixMax) + " bytes");
  }
  return {};
}

Result<void> check_judging(const bench::LoadOptions& load) {
  if (!load.check) return {};
  const double plain = load.mix.share(bench::OpKind::kGet) + load.mix.share(bench::OpKind::kSet);
  if (std::abs(plain - 1) > 1e-9) return bad("--check judges get and set, and no other operation");
  if (load.keys > kCheckedKeysMax) {
    return bad("--check remembers each key: --keys at most " + std::to_string(kCheckedKeysMax));
  }
  if (load.sizes.min < bench::Requests::kCheckedBytesMin) {
    return bad("--check writes its marks into the values: --value-bytes at least " +
               std::to_string(bench::Requests::kCheckedBytesMin));
  }
  return {};
}

Result<void> set_times(const BenchOptions& given, bench::LoadOptions& load) {
  const auto timeout = time_of("--timeout", given.node.timeout.value_or("10s"), milliseconds(1));
  if (!timeout) return std::unexpected(timeout.error());
  load.timeout = *timeout;
  const auto warmup = time_of("--warmup", given.warmup, {});
  if (!warmup) return std::unexpected(warmup.error());
  load.warmup = *warmup;
  load.operations = given.operations;
  if (given.duration || given.operations == 0) {
    const auto duration = time_of("--duration", given.duration.value_or("10s"), milliseconds(100));
    if (!duration) return std::unexpected(duration.error());
    load.duration = *duration;
  }
  return {};
}

}  // namespace

void BenchOptions::add_options(std::vector<Option>& options) {
  options.push_back({"--redis", "A:P[,A:P]",
                     "Redis addresses to load (default: those of all members, asked from --node)",
                     &redis});
  options.push_back({"--cluster", "",
                     "send each key to the node that CLUSTER SLOTS publishes for it; each "
                     "connection becomes one to every node",
                     &cluster});
  options.push_back(
      {"-c,--connections", "N", "connections, dealt out to the nodes (default 50)", &connections});
  options.push_back({"-P,--pipeline", "N",
                     "operations under way on one connection at the same time (default 1)",
                     &pipeline});
  options.push_back({"--mix", "OP=WEIGHT,...",
                     "operations: get, set, del, st.get, st.put (adds a sibling each time), "
                     "st.update (ST.GET, then ST.PUT with its context) (default get=90,set=10)",
                     &mix});
  options.push_back({"--keys", "N", "how many keys (default 100000)", &keys});
  options.push_back({"--zipf", "THETA",
                     "few keys get most operations: 0.99 is usual (default 0: uniform)", &zipf});
  options.push_back({"--prefix", "TEXT", "beginning of all keys (default bench:)", &prefix});
  options.push_back({"--value-bytes", "N|MIN-MAX", "size of values (default 1024)", &value_bytes});
  options.push_back({"--rate", "N",
                     "operations per second of an open loop (default: closed loop, as fast as it "
                     "answers)",
                     &rate});
  options.push_back(
      {"--duration", "TIME", "how long (default 10s, unless -n is given)", &duration});
  options.push_back({"-n,--operations", "N", "how many operations", &operations});
  options.push_back(
      {"--warmup", "TIME", "the same load before, not counted (default 0s)", &warmup});
  options.push_back({"--fill", "", "write every key once before", &fill});
  options.push_back({"--check", "",
                     "judge each read: stale or lost if a write that was acknowledged before it "
                     "began is missing; nobody else may write these keys",
                     &check});
  options.push_back({"--allow-errors", "",
                     "exit code 0 also when operations failed (not for what --check finds)",
                     &allow_errors});
  options.push_back({"--seed", "N",
                     "the same keys, operations and sizes for the same number "
                     "(default 1)",
                     &seed});
  node.add_options(options, {"table", "json"});
}

Result<bench::LoadOptions> load_options(const BenchOptions& given) {
  if (auto ok = check_numbers(given); !ok) return std::unexpected(ok.error());
  bench::LoadOptions load;
  auto nodes = addresses(given.redis);
  if (!nodes) return std::unexpected(nodes.error());
  load.nodes = std::move(*nodes);
  auto mix = bench::parse_mix(given.mix);
  if (!mix) return bad("--mix: " + mix.error().detail);
  load.mix = *mix;
  auto sizes = parse_value_sizes(given.value_bytes);
  if (!sizes) return bad("--value-bytes: " + sizes.error().detail);
  load.sizes = *sizes;
  if (auto ok = set_times(given, load); !ok) return std::unexpected(ok.error());
  load.cluster = given.cluster;
  load.clients = static_cast<std::uint32_t>(given.connections);
  load.depth = static_cast<std::uint32_t>(given.pipeline);
  load.keys = given.keys;
  load.theta = given.zipf;
  load.prefix = given.prefix;
  load.rate = given.rate;
  load.fill = given.fill;
  load.check = given.check;
  load.seed = given.seed;
  if (auto ok = check_judging(load); !ok) return std::unexpected(ok.error());
  return load;
}

Result<bench::ValueSizes> parse_value_sizes(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto min = parse_bytes(text.substr(0, dash));
  if (!min) return std::unexpected(min.error());
  const auto max = dash == std::string_view::npos ? min : parse_bytes(text.substr(dash + 1));
  if (!max) return std::unexpected(max.error());
  if (*max < *min || *max > kValueMax) {
    return bad("'" + std::string(text) + "' is out of range: 0 to 16MiB, the smaller one first");
  }
  return bench::ValueSizes{static_cast<std::uint32_t>(*min), static_cast<std::uint32_t>(*max)};
}

}  // namespace stator::cli
