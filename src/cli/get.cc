#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include "base/base64.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/key_options.h"
#include "cli/text_table.h"

namespace stator::cli {

namespace {

using OrderedJson = nlohmann::ordered_json;

struct GetOptions {
  KeyOptions key;
  std::optional<std::string> r;
};

OrderedJson sibling_json(const Json& sibling) {
  OrderedJson json;
  for (const char* name : {"value", "content_type", "dot", "time", "write_id"}) {
    json[name] = sibling[name].text();
  }
  return json;
}

// The one version that an answer has, as a sibling would be shown.
OrderedJson only_json(const HttpAnswer& answer) {
  std::string value;
  append_base64(value, answer.body, Base64::kStandard);
  OrderedJson json;
  json["value"] = value;
  json["content_type"] = answer.header("content-type");
  json["dot"] = answer.header("stator-dot");
  json["time"] = answer.header("stator-time");
  json["write_id"] = answer.header("stator-write-id");
  return json;
}

// One schema for one version and for many, so that a script need not care.
void print_json(const GetOptions& options, const HttpAnswer& answer, std::ostream& out) {
  OrderedJson siblings = OrderedJson::array();
  if (answer.status == 200) siblings.push_back(only_json(answer));
  if (answer.status == 300) {
    for (const Json& sibling : Json::parse(answer.body)["siblings"].items()) {
      siblings.push_back(sibling_json(sibling));
    }
  }
  OrderedJson json;
  json["bucket"] = options.key.bucket;
  json["key"] = options.key.key;
  json["found"] = answer.status != 404;
  json["context"] = answer.header("stator-context");
  json["quorum"] = answer.header("stator-quorum");
  json["siblings"] = std::move(siblings);
  out << json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) << '\n';
}

void print_siblings(const GetOptions& options, const HttpAnswer& answer, Console& console) {
  const auto siblings = Json::parse(answer.body)["siblings"].items();
  TextTable table({"VALUE", "TYPE", "TIME", "DOT"});
  for (const Json& sibling : siblings) {
    std::string value;
    if (!decode_base64(sibling["value"].text(), Base64::kStandard, value)) value = "(unreadable)";
    table.add({printable(value), sibling["content_type"].text(), sibling["time"].text(),
               sibling["dot"].text()});
  }
  table.print(console.out, console.color);
  const std::string context(answer.header("stator-context"));
  console.out << '\n';
  print_pairs({{"quorum", std::string(answer.header("stator-quorum"))}, {"context", context}},
              console.out);
  console.out << '\n'
              << siblings.size()
              << " siblings: nobody who wrote one had seen the others. Merge them with\n"
              << "  "
              << as_called(console,
                           "stator put " + options.key.words() + " VALUE --context " + context)
              << '\n';
}

Exit get(const GetOptions& options, Console& console) {
  std::string query;
  if (!quorum_query(console, "r", options.r, query) ||
      !timeout_query(console, options.key.node, query)) {
    return Exit::kUsage;
  }
  NodeClient client(options.key.node, console);
  if (!client.ask({.target = options.key.target() + query})) return client.exit();
  const HttpAnswer& answer = client.answer();
  const std::string& format = options.key.node.output;
  const bool found = answer.status == 200 || answer.status == 300;
  const bool missing = answer.status == 404 && !answer.header("stator-quorum").empty();
  if (!found && !missing) return client.refused(options.key.asked("get"));
  if (format == "json") {
    print_json(options, answer, console.out);
    return found ? Exit::kDone : Exit::kFailed;
  }
  if (missing) {
    return fail(console, Exit::kFailed, "there is no " + options.key.words(),
                "stator put " + options.key.words() + " VALUE");
  }
  if (format == "raw" && answer.status == 300) {
    return fail(console, Exit::kFailed, "there are several siblings, and -o raw prints one value",
                "stator get " + options.key.words() + " -o json");
  }
  if (format == "raw") {
    console.out << answer.body;
  } else if (answer.status == 300) {
    print_siblings(options, answer, console);
  } else {
    print_pairs({{"value", printable(answer.body)},
                 {"type", std::string(answer.header("content-type"))},
                 {"quorum", std::string(answer.header("stator-quorum"))},
                 {"context", std::string(answer.header("stator-context"))}},
                console.out);
  }
  return Exit::kDone;
}

}  // namespace

void register_get(Command& root) {
  const auto options = std::make_shared<GetOptions>();
  Command command;
  command.name = "get";
  command.summary = "Read a key: its value or all its siblings, and the context for a write";
  command.details =
      "The context stands for what was read. Hand it to `stator put --context` and the new value\n"
      "takes the place of everything that was shown here, and of nothing else.";
  command.examples = {"stator get default cart:42            # value, quorum evidence, context",
                      "stator get default cart:42 -o raw     # the bytes alone",
                      "stator get carts 42 --r 3 -o json     # ask three replicas; for scripts"};
  options->key.add_arguments(command.arguments);
  command.options.push_back(
      {"--r", "N", "replicas that must answer (default: that of the bucket)", &options->r});
  options->key.node.add_options(command.options, {"table", "json", "raw"});
  command.run = [options](Console& console) { return get(*options, console); };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli
