#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "cli/commands.h"
#include "cli/configuration_page.h"
#include "cli/key_options.h"
#include "cli/settings.h"
#include "cli/text_table.h"

namespace stator::cli {

namespace {

using OrderedJson = nlohmann::ordered_json;

struct ShowOptions {
  std::string file;
  std::string output = "table";
};

const char* name_of(Source source) {
  switch (source) {
    case Source::kDefault: return "default";
    case Source::kFile: return "file";
    case Source::kFlag: return "flag";
  }
  return "default";
}

Source source_of(const Loaded& loaded, const Setting& setting) {
  const auto found = loaded.sources.find(setting.key);
  return found == loaded.sources.end() ? Source::kDefault : found->second;
}

Exit check(const std::string& file, Console& console) {
  const auto loaded = load_settings(file, {});
  if (!loaded) {
    return fail(console, Exit::kUsage, loaded.error().detail, "stator config show -o toml");
  }
  if (const auto fit = check_together(loaded->settings); !fit) {
    return fail(console, Exit::kUsage, file + ": " + fit.error().detail,
                "stator config show --config " + shell_quoted(file));
  }
  console.out << file << ": right, with " << loaded->sources.size() << " of "
              << settings_table().size() << " settings\n";
  return Exit::kDone;
}

void print_json(const Loaded& loaded, std::ostream& out) {
  OrderedJson settings = OrderedJson::array();
  for (const Setting& setting : settings_table()) {
    OrderedJson json;
    json["key"] = setting.key;
    json["value"] = show(loaded.settings, setting);
    json["source"] = name_of(source_of(loaded, setting));
    json["run_time"] = setting.run_time;
    settings.push_back(std::move(json));
  }
  OrderedJson json;
  json["settings"] = std::move(settings);
  out << json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) << '\n';
}

Exit show_settings(const ShowOptions& options, Console& console) {
  if (options.output == "markdown" || options.output == "toml") {
    options.output == "toml" ? print_configuration_template(console.out)
                             : print_configuration_page(console.out);
    return Exit::kDone;
  }
  const auto loaded = load_settings(options.file, {});
  if (!loaded) {
    return fail(console, Exit::kUsage, loaded.error().detail, "stator config show -o toml");
  }
  if (options.output == "json") {
    print_json(*loaded, console.out);
    return Exit::kDone;
  }
  TextTable table({"SETTING", "VALUE", "FROM", "WHAT"});
  for (const Setting& setting : settings_table()) {
    table.add({setting.key, show(loaded->settings, setting), name_of(source_of(*loaded, setting)),
               setting.what});
  }
  table.print(console.out, console.color);
  return Exit::kDone;
}

}  // namespace

void register_config(Command& root) {
  Command config;
  config.name = "config";
  config.summary = "Check and show the settings of a node";
  config.examples = {"stator config check /etc/stator.toml",
                     "stator config show --config /etc/stator.toml",
                     "stator config show -o toml > stator.toml   # a file to start from"};

  const auto file = std::make_shared<std::string>();
  Command checked;
  checked.name = "check";
  checked.summary = "Say whether a file of settings is right, and where it is not";
  checked.examples = {"stator config check /etc/stator.toml"};
  checked.arguments.push_back({"FILE", "a TOML file", file.get()});
  checked.run = [file](Console& console) { return check(*file, console); };
  config.commands.push_back(std::move(checked));

  const auto options = std::make_shared<ShowOptions>();
  Command shown;
  shown.name = "show";
  shown.summary = "Show every setting, its value, and where the value comes from";
  shown.examples = {"stator config show --config /etc/stator.toml",
                    "stator config show -o toml   # a file to start from"};
  shown.options.push_back({"--config", "FILE", "a TOML file (default: none)", &options->file});
  shown.options.push_back({"-o,--output",
                           "FORMAT",
                           "how to print them; toml and markdown print the "
                           "defaults with their reasons",
                           &options->output,
                           {"table", "json", "toml", "markdown"}});
  shown.run = [options](Console& console) { return show_settings(*options, console); };
  config.commands.push_back(std::move(shown));
  root.commands.push_back(std::move(config));
}

}  // namespace stator::cli
