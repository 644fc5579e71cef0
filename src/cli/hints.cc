#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/node_client.h"
#include "cli/text_table.h"

namespace stator::cli {

namespace {

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

std::string time_left(const Json& owner) {
  const double rate = owner["per_second"].number();
  if (owner["pending"].integer() == 0) return "";
  if (rate <= 0) return owner["healthy"].flag() ? "" : "when it is back";
  return human_time_ms(static_cast<std::int64_t>(owner["pending"].number() / rate * 1000));
}

void print_hints(const Json& answer, Console& console) {
  console.out << answer["node"].text() << " keeps " << answer["pending"].text() << " hints, "
              << human_bytes(static_cast<std::uint64_t>(answer["bytes"].integer())) << '\n';
  if (answer["counting"].flag()) {
    console.out << "still counting those of before its start: there may be more\n";
  }
  if (answer["owners"].items().empty()) return;
  TextTable table(
      {"OWNER", "HEALTH", ">PENDING", ">BYTES", ">OLDEST", ">RATE", "PROGRESS", "LEFT"});
  for (const Json& owner : by_name(answer["owners"])) {
    const bool pending = owner["pending"].integer() > 0;
    table.add({owner["name"].text(), owner["healthy"].flag() ? "up" : "DOWN",
               owner["pending"].text(),
               human_bytes(static_cast<std::uint64_t>(owner["bytes"].integer())),
               pending ? human_time_ms(owner["oldest_ms"].integer()) : "",
               fixed(owner["per_second"].number(), 1) + "/s",
               progress_bar(owner["progress"].number()), time_left(owner)});
  }
  console.out << '\n';
  table.print(console.out, console.color);
}

Exit hints(const NodeOptions& options, Console& console) {
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
  const auto options = std::make_shared<NodeOptions>();
  Command command;
  command.name = "hints";
  command.summary = "Show what a node keeps for owners that were away, and how it goes to them";
  command.details =
      "A write that an owner misses is kept by another node as a hint, and delivered when that "
      "owner\n"
      "answers again. Each node shows its own; the owner sets the pace. With -o json \"pending\" "
      "is "
      "the\n"
      "sum over all owners: 0 when this node owes nobody anything.";
  command.examples = {"stator hints                        # the node nearest at hand",
                      "stator hints --node 10.0.0.2:7380   # what another node keeps",
                      "stator hints -o json                # for scripts; the fields are stable"};
  options->add_options(command.options, {"table", "json"});
  command.run = [options](Console& console) { return hints(*options, console); };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli
