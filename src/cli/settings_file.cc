#include "cli/settings_file.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#define TOML_EXCEPTIONS 0  // errors are values
#include <toml++/toml.h>

#include "cli/nearest.h"
#include "cli/setting_values.h"

namespace stator::cli {

namespace {

std::unexpected<Error> bad(std::string detail) {
  return std::unexpected(Error{.code = ErrorCode::kBadRequest, .detail = std::move(detail)});
}

std::string place(const std::string& file, const toml::source_region& source) {
  return file + ":" + std::to_string(source.begin.line) + ": ";
}

// A value as it would stand behind a flag, so that both are checked by the same code.
std::optional<std::string> as_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return show_number(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return std::nullopt;
}

// What is wrong with the value of this setting; empty where it was taken.
std::string take(const toml::node& node, const Setting& setting, Loaded& loaded) {
  const auto value = as_text(node);
  if (!value) return "must be a plain value";
  if (std::holds_alternative<Text>(setting.field) && !node.is_string()) {
    return "must stand in quotes: \"" + *value + "\"";
  }
  if (auto done = set(loaded.settings, setting, *value); !done) return done.error().detail;
  loaded.sources[setting.key] = Source::kFile;
  return {};
}

std::string unknown_key(std::string_view key) {
  std::vector<std::string> names;
  for (const Setting& setting : settings_table()) names.emplace_back(setting.key);
  const std::string meant = nearest(key, names);
  return "there is no setting '" + std::string(key) + "'" +
         (meant.empty() ? "" : ", did you mean '" + meant + "'?");
}

}  // namespace

Result<void> read_settings_file(const std::string& file, Loaded& loaded) {
  std::error_code none;
  if (std::filesystem::is_directory(file, none)) {
    return bad("cannot read " + file + ": " + std::strerror(EISDIR));
  }
  std::ifstream stream(file);
  std::stringstream text;
  if (stream) text << stream.rdbuf();
  if (!stream) return bad("cannot read " + file + ": " + std::strerror(errno));
  const toml::parse_result parsed = toml::parse(text.str());
  if (!parsed) {
    return bad(place(file, parsed.error().source()) + std::string(parsed.error().description()));
  }
  std::multimap<std::uint32_t, std::string> wrong;  // by line: the table is sorted by key
  for (const auto& [key, node] : parsed.table()) {
    const Setting* setting = find_setting(key.str());
    std::string why = setting == nullptr ? unknown_key(key.str()) : take(node, *setting, loaded);
    if (why.empty()) continue;
    if (setting != nullptr) why = std::string(setting->key) + ": " + why;
    wrong.emplace(key.source().begin.line, place(file, key.source()) + why);
  }
  if (wrong.empty()) return {};
  std::string all;
  for (const auto& [line, what] : wrong) all += (all.empty() ? "" : "\n") + what;
  return bad(std::move(all));
}

}  // namespace stator::cli
