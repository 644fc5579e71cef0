#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/node_client.h"
#include "cli/text_table.h"

namespace stator::cli {

namespace {

void print_node(const Json& node, const Json& cluster, std::ostream& out) {
  const std::string state = !node["member"].flag()    ? "no member of a cluster"
                            : node["fenced"].flag()   ? "refused by its peers"
                            : node["draining"].flag() ? "stopping"
                            : node["ready"].flag()    ? "ready"
                                                      : "not ready";
  std::vector<std::pair<std::string, std::string>> rows = {
      {"node", node["name"].text() + " (" + node["id"].text() + "), " + state}};
  if (cluster["id"] && !cluster["id"].text().empty()) {
    rows.emplace_back("cluster", cluster["id"].text() + ": Q=" + cluster["q"].text() +
                                     " N=" + cluster["n"].text() + " R=" + cluster["r"].text() +
                                     " W=" + cluster["w"].text() + ", history " +
                                     cluster["history"].text());
  }
  rows.emplace_back("engine", node["engine"].text() + ", about " + node["keys"].text() + " keys, " +
                                  human_bytes(static_cast<std::uint64_t>(node["bytes"].integer())));
  if (node["disk_free"]) {
    rows.emplace_back("disk", human_bytes(static_cast<std::uint64_t>(node["disk_free"].integer())) +
                                  " for writes, " + node["disk"].text());
  }
  rows.emplace_back("uptime", human_time_ms(node["uptime_ms"].integer()));
  print_pairs(rows, out);
}

const char* health_of(const Json& member) {
  if (member["fenced"].flag()) return "REFUSED";
  if (!member["healthy"].flag()) return "DOWN";
  if (member["leaving"].flag()) return "leaving";
  if (member["no_write"].flag()) return member["slow"].flag() ? "slow, no writes" : "up, no writes";
  return member["slow"].flag() ? "slow" : "up";
}

void print_members(const Json& status, Console& console) {
  TextTable table({"MEMBER", "ZONE", "HEALTH", "HEARD", ">CLOCK", "REDIS", "HTTP", "PEERS"});
  for (const Json& member : by_name(status["members"])) {
    const bool self = member["self"].flag();
    const std::string heard = self ? "itself"
                              : !member["last_heard_ms"]
                                  ? "never"
                                  : human_time_ms(member["last_heard_ms"].integer()) + " ago";
    table.add({member["name"].text(), member["zone"].text(), health_of(member), heard,
               self ? "" : member["clock_offset_ms"].text() + " ms", member["redis"].text(),
               member["http"].text(), member["peer"].text()});
  }
  console.out << '\n';
  table.print(console.out, console.color);
}

Exit status(const NodeOptions& options, Console& console) {
  NodeClient client(options, console);
  if (!client.ask({.target = "/v1/status"})) return client.exit();
  if (client.answer().status != 200) return client.refused({.command = "status"});
  if (options.output == "json") {
    console.out << client.answer().body;
    return Exit::kDone;
  }
  const Json answer = Json::parse(client.answer().body);
  print_node(answer["node"], answer["cluster"], console.out);
  if (!answer["members"].items().empty()) print_members(answer, console);
  const auto alarms = answer["alarms"].items();
  if (alarms.empty()) console.out << "\nno alarms\n";
  for (const Json& alarm : alarms) {
    console.out << "\nalarm: " << alarm["message"].text() << '\n'
                << "       " << alarm["hint"].text() << '\n';
  }
  return Exit::kDone;
}

}  // namespace

void register_status(Command& root) {
  const auto options = std::make_shared<NodeOptions>();
  Command command;
  command.name = "status";
  command.summary = "Show a node, its cluster as it sees it, and its alarms";
  command.details =
      "Health is local: each node judges the others by their answers, so two nodes may differ.";
  command.examples = {"stator status                        # the node nearest at hand",
                      "stator status --node 10.0.0.2:7380   # as another node sees it",
                      "stator status -o json                # for scripts; the fields are stable"};
  options->add_options(command.options, {"table", "json"});
  command.run = [options](Console& console) { return status(*options, console); };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli
