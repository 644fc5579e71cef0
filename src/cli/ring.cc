#include <array>
#include <cstdio>
#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/node_client.h"
#include "cli/setting_values.h"
#include "cli/text_table.h"

namespace stator::cli {

namespace {

struct RingOptions {
  NodeOptions node;
  std::optional<std::string> partition;
  bool ranges = false;
};

std::string percent(double share) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.1f %%", share * 100);
  return text.data();
}

std::string run_of(const Json& pair) {
  const auto ends = pair.items();
  if (ends.size() != 2) return {};
  return ends[0].integer() == ends[1].integer() ? ends[0].text()
                                                : ends[0].text() + "-" + ends[1].text();
}

void print_partition(const Json& answer, Console& console) {
  console.out << "partition " << answer["partition"].text() << ", slots " << run_of(answer["slots"])
              << "; first healthy owner: " << answer["first_healthy"].text() << "\n\n";
  TextTable table({">PLACE", "OWNER", "ZONE", "HEALTH"});
  int place = 0;
  for (const Json& owner : answer["owners"].items()) {
    table.add({std::to_string(++place), owner["name"].text(), owner["zone"].text(),
               owner["healthy"].flag() ? "up" : "DOWN"});
  }
  table.print(console.out, console.color);
}

void print_ring(const Json& answer, bool ranges, Console& console) {
  console.out << "cluster " << answer["id"].text() << ": Q=" << answer["q"].text()
              << " partitions of " << answer["slots_per_partition"].text()
              << " slots, N=" << answer["n"].text() << " copies; R=" << answer["r"].text()
              << " W=" << answer["w"].text() << "\n\n";
  TextTable members(
      {"MEMBER", "ZONE", ">WEIGHT", "HEALTH", ">PLACES", ">FIRST", ">ANSWERS", ">SHARE"});
  for (const Json& member : by_name(answer["members"])) {
    members.add({member["name"].text(), member["zone"].text(),
                 show_number(member["weight"].number()), member["healthy"].flag() ? "up" : "DOWN",
                 member["places"].text(), member["first_places"].text(),
                 member["first_healthy"].text(), percent(member["share"].number())});
  }
  members.print(console.out, console.color);
  console.out
      << "\nPLACES: partitions held; FIRST: of which it is the first owner; ANSWERS: of which\n"
         "it is the first healthy owner now.\n";
  if (!ranges) return;
  console.out << '\n';
  TextTable table({"PARTITIONS", "SLOTS", "OWNERS"});
  for (const Json& range : answer["ranges"].items()) {
    std::string owners;
    for (const Json& owner : range["owners"].items()) {
      owners += (owners.empty() ? "" : ", ") + owner.text();
    }
    table.add({run_of(range["partitions"]), run_of(range["slots"]), owners});
  }
  table.print(console.out, console.color);
}

Exit ring(const RingOptions& options, Console& console) {
  std::string query;
  if (options.partition) {
    const auto number = parse_count(*options.partition);
    if (!number) {
      return fail(console, Exit::kUsage, "--partition: " + number.error().detail, "stator ring");
    }
    query = "?partition=" + std::to_string(*number);
  }
  NodeClient client(options.node, console);
  if (!client.ask({.target = "/v1/ring" + query})) return client.exit();
  if (client.answer().status != 200) return client.refused({.command = "ring"});
  if (options.node.output == "json") {
    console.out << client.answer().body;
    return Exit::kDone;
  }
  const Json answer = Json::parse(client.answer().body);
  if (options.partition) {
    print_partition(answer, console);
  } else {
    print_ring(answer, options.ranges, console);
  }
  return Exit::kDone;
}

}  // namespace

void register_ring(Command& root) {
  const auto options = std::make_shared<RingOptions>();
  Command command;
  command.name = "ring";
  command.summary = "Show how the partitions are spread over the members";
  command.examples = {"stator ring                   # the share of each member",
                      "stator ring --ranges          # and who owns which partitions",
                      "stator ring --partition 17    # the owners of one, in order of preference",
                      "stator ring -o json           # for scripts; the fields are stable"};
  command.options.push_back(
      {"--partition", "P", "one partition instead of all", &options->partition});
  command.options.push_back(
      {"--ranges", "", "also list the runs of partitions with the same owners", &options->ranges});
  options->node.add_options(command.options, {"table", "json"});
  command.run = [options](Console& console) { return ring(*options, console); };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli
