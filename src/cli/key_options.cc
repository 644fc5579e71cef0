#include "cli/key_options.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "cli/setting_values.h"
#include "cli/text_table.h"

namespace stator::cli {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::int64_t kRequestMsMax = 86'400'000;  // what a node accepts

}  // namespace

void KeyOptions::add_arguments(std::vector<Argument>& arguments) {
  arguments.push_back({"BUCKET", "name of the bucket; Redis clients use 'default'", &bucket});
  arguments.push_back({"KEY", "the key, any bytes", &key});
}

std::string KeyOptions::target(const std::string& api) const {
  return "/v1/" + api + "/" + percent_encoded(bucket) + "/" + percent_encoded(key);
}

std::string KeyOptions::words() const {
  return shell_quoted(bucket) + " " + shell_quoted(key);
}

Asked KeyOptions::asked(const char* command) const {
  return {
      .command = command, .key = words(), .node_tries = node.time_to_wait().value_or(Duration{})};
}

void WriteOptions::add_options(std::vector<Option>& options) {
  options.push_back({"--context", "C",
                     "what the writer saw, from an earlier get or put; without it and --blind the "
                     "key is read first",
                     &context});
  options.push_back({"--blind", "", "do not read first", &blind});
  options.push_back({"--w", "N", "replicas that must hold it before it counts", &w});
  options.push_back({"--write-id", "ID",
                     "names the write, so that it can be sent again: the id that an error showed, "
                     "or a UUIDv7 of your own",
                     &write_id});
  key.node.add_options(options, {"table", "json", "raw"});
}

bool quorum_query(Console& console, const char* name, const std::optional<std::string>& given,
                  std::string& query) {
  if (!given) return true;
  const auto count = parse_count(*given);
  if (!count || *count < 1 || *count > 7) {
    static_cast<void>(fail(console, Exit::kUsage,
                           "--" + std::string(name) + ": '" + *given + "' is out of range: 1 to 7",
                           "the same with --" + std::string(name) + " 2"));
    return false;
  }
  query += (query.empty() ? "?" : "&") + std::string(name) + "=" + *given;
  return true;
}

bool timeout_query(Console& console, const NodeOptions& options, std::string& query) {
  const auto time = options.time_to_wait();
  if (!time) {
    static_cast<void>(
        fail(console, Exit::kUsage, time.error().detail, "the same with --timeout 10s"));
    return false;
  }
  if (!options.timeout) return true;
  const auto ms = std::clamp<std::int64_t>(time->ms(), 1, kRequestMsMax);
  query += (query.empty() ? "?" : "&") + std::string("timeout_ms=") + std::to_string(ms);
  return true;
}

Exit write_with_context(const char* command, const WriteOptions& options, HttpRequest request,
                        Console& console) {
  if (options.blind && options.context) {
    return fail(console, Exit::kUsage, "--blind and --context exclude each other",
                "the same without --blind");
  }
  if (options.write_id && options.write_id->find_first_of("\r\n") != std::string::npos) {
    return fail(console, Exit::kUsage, "--write-id: must be one line",
                "the same with the write id that an error showed");
  }
  std::string query;
  std::string time_query;
  if (!quorum_query(console, "w", options.w, query) ||
      !timeout_query(console, options.key.node, query) ||
      !timeout_query(console, options.key.node, time_query)) {
    return Exit::kUsage;
  }
  NodeClient client(options.key.node, console);
  std::string context = options.context.value_or("");
  if (!options.blind && !options.context) {
    if (!client.ask({.target = options.key.target() + time_query})) return client.exit();
    const int status = client.answer().status;
    if (status != 200 && status != 300 && status != 404) {
      Asked asked = options.key.asked(command);
      asked.before_write = true;
      return client.refused(std::move(asked));
    }
    context = client.answer().header("stator-context");
  }
  if (!context.empty()) request.headers.emplace_back("Stator-Context", context);
  if (options.write_id) request.headers.emplace_back("Stator-Write-Id", *options.write_id);
  request.target = options.key.target() + query;
  if (!client.ask(request)) return client.exit();
  const HttpAnswer& answer = client.answer();
  if (answer.status != 204) return client.refused(options.key.asked(command));
  const std::string after(answer.header("stator-context"));
  const std::string quorum(answer.header("stator-quorum"));
  if (options.key.node.output == "json") {
    OrderedJson json;
    json["bucket"] = options.key.bucket;
    json["key"] = options.key.key;
    json["outcome"] = "ok";
    json["context"] = after;
    json["quorum"] = quorum;
    console.out << json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) << '\n';
  } else if (options.key.node.output == "raw") {
    console.out << after << '\n';
  } else {
    print_pairs({{"ok", options.key.words()}, {"quorum", quorum}, {"context", after}}, console.out);
  }
  return Exit::kDone;
}

std::string shell_quoted(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_@%+=:,./-") == std::string::npos;
  if (plain) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace stator::cli
