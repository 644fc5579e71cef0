#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/key_options.h"
#include "cli/text_table.h"

namespace stator::cli {

namespace {

std::string joined(const Json& array) {
  std::string text;
  for (const Json& item : array.items()) text += (text.empty() ? "" : " ") + item.text();
  return text;
}

void print_replicas(const Json& answer, Console& console) {
  TextTable table({"NODE", "ROLE", "HEALTH", "DIGEST", ">VERSIONS", "CLOCK"});
  for (const Json& replica : answer["replicas"].items()) {
    const bool answered = replica["answered"].flag();
    const auto versions = replica["versions"].items();
    const bool holds = answered && (!versions.empty() || !replica["clock"].items().empty());
    table.add({replica["name"].text(), replica["owner"].flag() ? "owner" : "stand-in",
               replica["healthy"].flag() ? "up" : "DOWN",
               !answered ? (replica["error"] ? replica["error"].text() : "no answer")
               : holds   ? replica["digest"].text()
                         : "holds nothing",
               answered ? std::to_string(versions.size()) : "", joined(replica["clock"])});
  }
  table.print(console.out, console.color);
}

void print_versions(const Json& merged, Console& console) {
  const auto versions = merged["versions"].items();
  if (versions.empty()) return;
  console.out << "\nmerged:\n";
  TextTable table({"DOT", "TIME", "STATE", ">BYTES", "TYPE", "WRITE ID"});
  for (const Json& version : versions) {
    const std::string state = version["tombstone"].flag() ? "tombstone"
                              : version["living"].flag()  ? "living"
                                                          : "expired";
    table.add({version["dot"].text(), version["time"].text(), state, version["bytes"].text(),
               version["content_type"].text(), version["write_id"].text()});
  }
  table.print(console.out, console.color);
}

Exit explain(const KeyOptions& options, Console& console) {
  NodeClient client(options.node, console);
  if (!client.ask({.target = options.target("explain")})) return client.exit();
  if (client.answer().status != 200) {
    return client.refused({.command = "explain", .key = options.words()});
  }
  if (options.node.output == "json") {
    console.out << client.answer().body;
    return Exit::kDone;
  }
  const Json answer = Json::parse(client.answer().body);
  console.out << options.words() << ": partition " << answer["partition"].text() << ", slot "
              << answer["slot"].text() << "\n\n";
  print_replicas(answer, console);
  print_versions(answer["merged"], console);
  console.out << '\n' << answer["verdict"].text() << '\n';
  return Exit::kDone;
}

}  // namespace

void register_explain(Command& root) {
  const auto options = std::make_shared<KeyOptions>();
  Command command;
  command.name = "explain";
  command.summary = "Show who owns a key, what each of them holds, and what a read would return";
  command.details =
      "Asks every member of the key's preference list. Equal digests mean equal copies; a copy "
      "that\n"
      "is behind is brought up to date by the next read.";
  command.examples = {
      "stator explain default cart:42",
      "stator explain default cart:42 -o json   # for scripts; the fields are stable"};
  options->add_arguments(command.arguments);
  options->node.add_options(command.options, {"table", "json"});
  command.run = [options](Console& console) { return explain(*options, console); };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli
