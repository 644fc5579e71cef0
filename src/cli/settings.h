#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "env/network.h"
#include "node/options.h"

// What concerns one node and is set where it is started (design 2.2): at most 40 settings, in one
// table, from which the flags of `serve`, the keys of the file, `config check`, `config show` and
// docs/configuration.md are made. What concerns a cluster is not here: it is fixed when the cluster
// is founded (founding_flags.h), or an entry of its history.

namespace stator::cli {

struct Settings {
  /// Filled in part by the table; the rest (founding, engine directory) by `serve`.
  node::NodeOptions node = default_node_options();
  std::uint64_t shards = 0;  // 0: one per core
  std::string scheduling = "batch";
  env::Address redis_listen{"127.0.0.1", 7379};
  env::Address http_listen{"127.0.0.1", 7380};
  bool insecure = false;
  std::string durability = "all";
  double read_repair_share = 0.01;
  Duration stop_timeout = seconds(5);
  std::string log_level = "info";

  static node::NodeOptions default_node_options();
};

/// Reaches the value of one setting; the kind of value says how it is written and checked.
struct Text {
  std::string& (*of)(Settings&);
};
struct Choice {
  std::string& (*of)(Settings&);
  std::vector<std::string> (*valid)();
};
struct AddressField {
  env::Address& (*of)(Settings&);
  bool may_be_empty = false;
};
struct Span {
  Duration& (*of)(Settings&);
  Duration min{};
  Duration max{};
};
struct Bytes {
  std::uint64_t& (*of)(Settings&);
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};
struct Count {
  std::uint64_t& (*of)(Settings&);
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};
struct Number {
  double& (*of)(Settings&);
  double min = 0;
  double max = 0;
};
struct Switch {
  bool& (*of)(Settings&);
};
using Field = std::variant<Text, Choice, AddressField, Span, Bytes, Count, Number, Switch>;

struct Setting {
  const char* key;     // in the file
  const char* value;   // how help calls the value
  const char* what;    // one line, no full stop
  const char* unit;    // "" where there is none
  const char* reason;  // why the default is what it is; one or two sentences
  Field field;
  bool run_time = false;  // can change while the node runs
  /// "--data-dir" for "data_dir".
  [[nodiscard]] std::string flag() const;
};

[[nodiscard]] std::span<const Setting> settings_table();
/// nullptr when there is none.
[[nodiscard]] const Setting* find_setting(std::string_view key);

/// kBadRequest with the value, what is wrong, and the limit.
[[nodiscard]] Result<void> set(Settings& settings, const Setting& setting, std::string_view text);
/// What `set` reads back as the same value.
[[nodiscard]] std::string show(const Settings& settings, const Setting& setting);
/// "1 to 10000", "all, none"; empty where anything goes.
[[nodiscard]] std::string range_of(const Setting& setting);

/// What no single value shows: addresses beyond loopback without `insecure`, limits in the wrong
/// order. kBadRequest; the detail names the flags.
[[nodiscard]] Result<void> check_together(const Settings& settings);

/// Where each value came from, for `config show`.
enum class Source : std::uint8_t { kDefault, kFile, kFlag };
using Given = std::map<std::string, std::string, std::less<>>;  // key -> text
struct Loaded {
  Settings settings;
  std::map<std::string, Source, std::less<>> sources;
};
/// Flags over file over default. `file` may be empty. Errors name the file and its line (all that
/// are wrong, one on each line of the detail), or the flag, and the nearest valid name.
[[nodiscard]] Result<Loaded> load_settings(const std::string& file, const Given& flags);

}  // namespace stator::cli
