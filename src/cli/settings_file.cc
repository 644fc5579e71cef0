#include "cli/settings_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>
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

std::string unknown_key(std::string_view key) {
  std::vector<std::string> names;
  for (const Setting& setting : settings_table()) names.emplace_back(setting.key);
  const std::string meant = nearest(key, names);
  return "there is no setting '" + std::string(key) + "'" +
         (meant.empty() ? "" : ", did you mean '" + meant + "'?");
}

}  // namespace

Result<void> read_settings_file(const std::string& file, Loaded& loaded) {
  std::ifstream stream(file);
  std::stringstream text;
  if (stream) text << stream.rdbuf();
  if (!stream) return bad("cannot read " + file + ": " + std::strerror(errno));
  const toml::parse_result parsed = toml::parse(text.str());
  if (!parsed) {
    return bad(place(file, parsed.error().source()) + std::string(parsed.error().description()));
  }
  for (const auto& [key, node] : parsed.table()) {
    const Setting* setting = find_setting(key.str());
    if (setting == nullptr) return bad(place(file, key.source()) + unknown_key(key.str()));
    const auto value = as_text(node);
    if (!value) return bad(place(file, key.source()) + setting->key + ": must be a plain value");
    if (auto done = set(loaded.settings, *setting, *value); !done) {
      return bad(place(file, key.source()) + setting->key + ": " + done.error().detail);
    }
    loaded.sources[setting->key] = Source::kFile;
  }
  return {};
}

}  // namespace stator::cli
