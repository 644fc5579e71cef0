#include "options.h"

#include <charconv>
#include <map>
#include <string_view>
#include <utility>

#include "env_sim/random.h"

namespace stator::torture {
namespace {

using Words = std::map<std::string, std::string, std::less<>>;

Error wrong(std::string what) {
  return {.code = ErrorCode::kBadRequest, .detail = std::move(what)};
}

template <typename Number>
Result<void> take(Words& words, std::string_view name, Number& out) {
  const auto found = words.find(name);
  if (found == words.end()) return {};
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::unexpected(wrong("no number: " + std::string(name) + "=" + text));
  }
  words.erase(found);
  return {};
}

Result<std::vector<env::Address>> parse_nodes(std::string_view text) {
  std::vector<env::Address> nodes;
  while (!text.empty()) {
    const std::size_t end = text.find(',');
    auto address = env::parse_address(text.substr(0, end));
    if (!address) return std::unexpected(std::move(address.error()));
    nodes.push_back(std::move(*address));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  if (nodes.empty()) return std::unexpected(wrong("nodes= names none"));
  return nodes;
}

void choose_kinds(sim::Workload& workload, bool named) {
  using enum sim::OperationKind;
  // Everything often enough to be seen in a run of half a minute, whatever the seed.
  workload.weights = {2, 2, 0, 4, 3, 1, 0.5, 0.7, 0, 0.1, 0.1, 0};
  const auto off = [&workload](sim::OperationKind kind) {
    workload.weights[static_cast<std::size_t>(kind)] = 0;
  };
  // Nobody could recognise a plain delete (client_history.h).
  off(kDel);
  off(kStDelBlind);
  if (named) {
    off(kSet);
    off(kStPutBlind);
    off(kWrongContext);
    off(kBadContext);
  }
  double sum = 0;
  for (const double weight : workload.weights) sum += weight;
  for (double& weight : workload.weights) weight /= sum;
}

Result<void> take_workload(Words& words, sim::Workload& workload) {
  std::int64_t patience_ms = 5'000;
  std::int64_t persistence_ms = 0;
  const std::pair<std::string_view, std::int64_t*> times[] = {{"patience_ms", &patience_ms},
                                                              {"persistence_ms", &persistence_ms}};
  for (const auto& [name, out] : times) {
    if (auto taken = take(words, name, *out); !taken) return taken;
  }
  for (auto taken : {take(words, "rate", workload.operations_per_second),
                     take(words, "keys", workload.keys), take(words, "sessions", workload.sessions),
                     take(words, "hot", workload.hot), take(words, "large", workload.large)}) {
    if (!taken) return taken;
  }
  workload.patience = milliseconds(patience_ms);
  workload.persistence = milliseconds(persistence_ms);
  return {};
}

}  // namespace

Result<Options> parse_options(std::span<char* const> arguments) {
  Words words;
  for (const std::string_view argument : arguments) {
    const std::size_t mark = argument.find('=');
    if (mark == std::string_view::npos) return std::unexpected(wrong("no name=value"));
    words.emplace(argument.substr(0, mark), argument.substr(mark + 1));
  }
  Options options;
  auto nodes = parse_nodes(words["nodes"]);
  if (!nodes) return std::unexpected(std::move(nodes.error()));
  options.nodes = std::move(*nodes);
  words.erase("nodes");
  if (words.contains("cluster_id")) options.cluster_id = words["cluster_id"];
  words.erase("cluster_id");
  const std::string kinds = words.contains("kinds") ? words["kinds"] : "any";
  words.erase("kinds");
  if (kinds != "any" && kinds != "named") return std::unexpected(wrong("kinds=" + kinds));
  if (auto taken = take(words, "seed", options.seed); !taken) {
    return std::unexpected(std::move(taken.error()));
  }
  sim::Random random(options.seed);
  sim::Workload& workload = options.workload = sim::draw_workload(random, 10, true);
  workload.clients = 1;
  workload.owners = 0.5;
  workload.evidence = 0.8;
  workload.redial = milliseconds(20);
  choose_kinds(workload, kinds == "named");
  for (auto taken :
       {take(words, "control", options.control), take(words, "n", options.n),
        take(words, "r", options.r), take(words, "w", options.w),
        take(words, "partitions", options.partitions), take_workload(words, workload)}) {
    if (!taken) return std::unexpected(std::move(taken.error()));
  }
  workload.quorum = options.r;
  if (!words.empty()) return std::unexpected(wrong("what is " + words.begin()->first + "=?"));
  return options;
}

}  // namespace stator::torture
