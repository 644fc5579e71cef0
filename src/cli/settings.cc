#include "cli/settings.h"

#include <algorithm>
#include <utility>

#include "cli/setting_values.h"
#include "cli/settings_file.h"
#include "cli/socket.h"

namespace stator::cli {

namespace {

std::unexpected<Error> bad(std::string detail) {
  return std::unexpected(Error{.code = ErrorCode::kBadRequest, .detail = std::move(detail)});
}

std::string joined(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& one : all) text += (text.empty() ? "" : ", ") + one;
  return text;
}

// One overload per kind of field: `assign` parses and checks, `print` writes, `range` tells limits.

Result<void> assign(Settings& settings, const Text& field, std::string_view text) {
  field.of(settings) = std::string(text);
  return {};
}
Result<void> assign(Settings& settings, const Choice& field, std::string_view text) {
  const auto valid = field.valid();
  if (std::find(valid.begin(), valid.end(), text) == valid.end()) {
    return bad("'" + std::string(text) + "' is none of: " + joined(valid));
  }
  field.of(settings) = std::string(text);
  return {};
}
Result<void> assign(Settings& settings, const AddressField& field, std::string_view text) {
  if (text.empty() && field.may_be_empty) {
    field.of(settings) = {};
    return {};
  }
  auto address = env::parse_address(text);
  if (!address) return std::unexpected(std::move(address.error()));
  field.of(settings) = std::move(*address);
  return {};
}
Result<void> assign(Settings& settings, const Switch& field, std::string_view text) {
  if (text != "true" && text != "false") {
    return bad("'" + std::string(text) + "' is neither true nor false");
  }
  field.of(settings) = text == "true";
  return {};
}

template <typename T, typename Field, typename Show>
Result<void> within(Settings& settings, const Field& field, Result<T> value, Show shown) {
  if (!value) return std::unexpected(std::move(value.error()));
  if (*value < field.min || *value > field.max) {
    return bad("'" + shown(*value) + "' is out of range: " + shown(field.min) + " to " +
               shown(field.max));
  }
  field.of(settings) = *value;
  return {};
}
std::string show_count(std::uint64_t value) {
  return std::to_string(value);
}
Result<void> assign(Settings& settings, const Span& field, std::string_view text) {
  return within(settings, field, parse_duration(text), show_duration);
}
Result<void> assign(Settings& settings, const Bytes& field, std::string_view text) {
  return within(settings, field, parse_bytes(text), show_bytes);
}
Result<void> assign(Settings& settings, const Count& field, std::string_view text) {
  return within(settings, field, parse_count(text), show_count);
}
Result<void> assign(Settings& settings, const Number& field, std::string_view text) {
  return within(settings, field, parse_number(text), show_number);
}

std::string print(const std::string& value) {
  return value;
}
std::string print(const env::Address& value) {
  return value.host.empty() ? "" : env::to_string(value);
}
std::string print(Duration value) {
  return show_duration(value);
}
std::string print(double value) {
  return show_number(value);
}
std::string print(bool value) {
  return value ? "true" : "false";
}

std::string range(const Text&) {
  return {};
}
std::string range(const Choice& field) {
  return joined(field.valid());
}
std::string range(const AddressField&) {
  return "host:port";
}
std::string range(const Switch&) {
  return "true, false";
}
std::string range(const Span& field) {
  return show_duration(field.min) + " to " + show_duration(field.max);
}
std::string range(const Bytes& field) {
  return show_bytes(field.min) + " to " + show_bytes(field.max);
}
std::string range(const Count& field) {
  return show_count(field.min) + " to " + show_count(field.max);
}
std::string range(const Number& field) {
  return show_number(field.min) + " to " + show_number(field.max);
}

}  // namespace

std::string Setting::flag() const {
  std::string name = "--" + std::string(key);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

const Setting* find_setting(std::string_view key) {
  for (const Setting& setting : settings_table()) {
    if (setting.key == key) return &setting;
  }
  return nullptr;
}

Result<void> set(Settings& settings, const Setting& setting, std::string_view text) {
  return std::visit([&](const auto& field) { return assign(settings, field, text); },
                    setting.field);
}

std::string show(const Settings& settings, const Setting& setting) {
  Settings copy = settings;  // fields are reached through a mutable one
  return std::visit(
      [&](const auto& field) -> std::string {
        using Kind = std::remove_cvref_t<decltype(field)>;
        if constexpr (std::is_same_v<Kind, Bytes>) return show_bytes(field.of(copy));
        if constexpr (std::is_same_v<Kind, Count>) return show_count(field.of(copy));
        if constexpr (!std::is_same_v<Kind, Bytes> && !std::is_same_v<Kind, Count>) {
          return print(field.of(copy));
        }
      },
      setting.field);
}

std::string range_of(const Setting& setting) {
  return std::visit([](const auto& field) { return range(field); }, setting.field);
}

Result<void> check_together(const Settings& settings) {
  const node::NodeOptions& node = settings.node;
  if (node.request_timeout > node.request_timeout_max) {
    return bad("--request-timeout " + show_duration(node.request_timeout) +
               " is longer than --request-timeout-max " + show_duration(node.request_timeout_max));
  }
  // 0 is never, wherever it stands.
  const WaterMarks& marks = node.disk.marks;
  const auto above = [](std::uint64_t mark, std::uint64_t upper) {
    return upper != 0 && mark > upper;
  };
  if (above(marks.refuse, marks.low)) {
    return bad("--disk-refuse " + show_bytes(marks.refuse) + " is more than --disk-low " +
               show_bytes(marks.low) + ": the warning must come first");
  }
  if (above(marks.read_only, marks.refuse)) {
    return bad("--disk-read-only " + show_bytes(marks.read_only) + " is more than --disk-refuse " +
               show_bytes(marks.refuse) + ": clients must be refused before repairs are");
  }
  if (settings.insecure) return {};
  for (const auto& [flag, address] : {std::pair{"--redis-listen", &settings.redis_listen},
                                      std::pair{"--http-listen", &settings.http_listen},
                                      std::pair{"--peer-listen", &settings.node.peer_listen}}) {
    if (env::is_loopback(*address)) continue;
    if (auto known = can_resolve(*address); !known) {
      return bad(std::string(flag) + " " + env::to_string(*address) + " cannot be resolved (" +
                 known.error().detail + "): give an address of this machine");
    }
    return bad(
        std::string(flag) + " " + env::to_string(*address) +
        " can be reached from other machines, and there are no credentials yet: whoever "
        "reaches it can read and write everything. Give --insecure if the network is trusted");
  }
  return {};
}

Result<Loaded> load_settings(const std::string& file, const Given& flags) {
  Loaded loaded;
  if (!file.empty()) {
    if (auto read = read_settings_file(file, loaded); !read) {
      return std::unexpected(std::move(read.error()));
    }
  }
  for (const auto& [key, text] : flags) {
    const Setting* setting = find_setting(key);
    STATOR_ASSERT(setting != nullptr);
    if (auto done = set(loaded.settings, *setting, text); !done) {
      done.error().detail = setting->flag() + ": " + done.error().detail;
      return std::unexpected(std::move(done.error()));
    }
    loaded.sources[key] = Source::kFlag;
  }
  return loaded;
}

}  // namespace stator::cli
