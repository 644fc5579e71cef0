#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/cluster_hints.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/node_client.h"
#include "cli/text_table.h"

namespace stator::cli {

namespace {

struct HintsOptions : NodeOptions {
  bool all = false;
};

constexpr int kBarWidth = 20;

std::string fixed(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

// "[########            ] 40 %"
std::string progress_bar(double progress) {
  const int full = static_cast<int>(progress * kBarWidth);
  std::string bar = "[" + std::string(static_cast<std::size_t>(full), '#') +
                    std::string(static_cast<std::size_t>(kBarWidth - full), ' ') + "] ";
  return bar + fixed(progress * 100, 0) + " %";
}

std::string bytes_of(const Json& hints) {
  return human_bytes(static_cast<std::uint64_t>(hints["bytes"].integer()));
}

void print_owners(const Json& owners, bool all, Console& console) {
  if (owners.items().empty()) return;
  std::vector<std::string> titles = {"OWNER",   "HEALTH", ">PENDING", ">BYTES",
                                     ">OLDEST", ">RATE",  "PROGRESS", "LEFT"};
  if (all) titles.emplace_back(">KEEPERS");
  TextTable table(std::move(titles));
  for (const Json& owner : by_name(owners)) {
    const bool pending = owner["pending"].integer() > 0;
    std::vector<std::string> row = {owner["name"].text(),
                                    owner["healthy"].flag() ? "up" : "DOWN",
                                    owner["pending"].text(),
                                    bytes_of(owner),
                                    pending ? human_time_ms(owner["oldest_ms"].integer()) : "",
                                    fixed(owner["per_second"].number(), 1) + "/s",
                                    progress_bar(owner["progress"].number()),
                                    time_left(owner)};
    if (all) row.push_back(owner["keepers"].text());
    table.add(std::move(row));
  }
  console.out << '\n';
  table.print(console.out, console.color);
}

void print_hints(const Json& answer, Console& console) {
  console.out << answer["node"].text() << " keeps " << answer["pending"].text() << " hints, "
              << bytes_of(answer) << "; other nodes keep their own (--all)\n";
  if (answer["counting"].flag()) {
    console.out << "still counting those of before its start: there may be more\n";
  }
  print_owners(answer["owners"], false, console);
}

void print_all(const Json& answer, Console& console) {
  console.out << answer["answered"].text() << " of " << answer["nodes"].text()
              << " nodes answered: " << answer["pending"].text() << " hints, " << bytes_of(answer)
              << "  " << progress_bar(answer["progress"].number()) << '\n';
  for (const Json& keeper : by_name(answer["keepers"])) {
    if (!keeper["answered"].flag()) {
      console.out << keeper["name"].text() << " does not answer: what it keeps is not counted\n";
    } else if (keeper["counting"].flag()) {
      console.out << keeper["name"].text()
                  << " is still counting those of before its start: there may be more\n";
    }
  }
  print_owners(answer["owners"], true, console);
}

// Each node is asked for its own, at the address that it has announced.
Exit all_hints(const HintsOptions& options, Console& console) {
  NodeClient client(options, console);
  if (!client.ask({.target = "/v1/status"})) return client.exit();
  if (client.answer().status != 200) return client.refused({.command = "hints"});
  const Json status = Json::parse(client.answer().body);
  std::vector<KeptBy> keepers;
  for (const Json& member : by_name(status["members"])) {
    const std::string at = member["self"].flag() ? client.node() : member["http"].text();
    keepers.push_back({member["name"].text(), client.ask_at(at, {.target = "/v1/hints"})});
  }
  const std::string answer = cluster_hints(status, keepers);
  if (options.output == "json") {
    console.out << answer;
  } else {
    print_all(Json::parse(answer), console);
  }
  return Exit::kDone;
}

Exit hints(const HintsOptions& options, Console& console) {
  if (options.all) return all_hints(options, console);
  NodeClient client(options, console);
  if (!client.ask({.target = "/v1/hints"})) return client.exit();
  if (client.answer().status != 200) return client.refused({.command = "hints"});
  if (options.output == "json") {
    console.out << client.answer().body;
  } else {
    print_hints(Json::parse(client.answer().body), console);
  }
  return Exit::kDone;
}

}  // namespace

void register_hints(Command& root) {
  const auto options = std::make_shared<HintsOptions>();
  Command command;
  command.name = "hints";
  command.summary = "Show what a node keeps for owners that were away, and how it goes to them";
  command.details =
      "A write that an owner misses is kept by another node as a hint, and delivered when that\n"
      "owner answers again, at the pace that it sets. Each node knows its own alone: without\n"
      "--all everything here is the backlog of one node, and with -o json \"pending\" is its sum\n"
      "over all owners: 0 when this node owes nobody anything. With --all every member is asked\n"
      "for its own, and \"pending\" is the sum over the whole cluster: an owner has all that it\n"
      "missed when that is 0 and \"complete\" is true (nobody is out of reach or still counting).";
  command.examples = {"stator hints                        # the node nearest at hand",
                      "stator hints --node 10.0.0.2:7380   # what another node keeps",
                      "stator hints --all                  # what all members keep together",
                      "stator hints -o json                # for scripts; the fields are stable"};
  command.options.push_back(
      {"--all", "", "ask every member, and add up what they keep", &options->all});
  options->add_options(command.options, {"table", "json"});
  command.run = [options](Console& console) { return hints(*options, console); };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli
