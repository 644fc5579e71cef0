#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "front/redis/resp_parser.h"

// One row per command. Dispatch, COMMAND in all its forms and docs/redis.md come from this table.

namespace stator::redis {

struct Call;
/// Answers the call, at once or later: finishes call.command exactly once.
using Handler = void (*)(Call& call);

enum class Group : std::uint8_t { kConnection, kGeneric, kString, kServer, kCluster, kStator };
[[nodiscard]] std::string_view to_string(Group group);

// Flags of a row.
inline constexpr std::uint16_t kWrite = 1;          // changes its keys
inline constexpr std::uint16_t kReadonly = 2;       // depends on its keys, or on all
inline constexpr std::uint16_t kFast = 4;           // as COMMAND says it
inline constexpr std::uint16_t kAdmin = 8;          // of operators
inline constexpr std::uint16_t kNoAuth = 16;        // allowed before a client has said who it is
inline constexpr std::uint16_t kAnswersValue = 32;  // the answer may be as large as a value
inline constexpr std::uint16_t kAnswersValueByOption = 128;  // the same, with options
inline constexpr std::uint16_t kContainer = 64;              // has subcommands

struct CommandRow {
  std::string_view name;  // lower case; "client|list" for a subcommand
  int arity;              // words, the name (or both) included; -n: n or more
  std::uint16_t flags;
  // Positions of keys among the words; last -1: to the end. 0: no keys.
  int first_key;
  int last_key;
  int key_step;
  Group group;
  Handler handler;
  std::string_view since;  // the version of Redis that brought it; of Stator for its own
  std::string_view summary;

  [[nodiscard]] bool is(std::uint16_t flag) const { return (flags & flag) != 0; }
  [[nodiscard]] bool is_subcommand() const { return name.find('|') != std::string_view::npos; }
  [[nodiscard]] bool answers_value(std::size_t words) const {
    return is(kAnswersValue) ||
           (is(kAnswersValueByOption) && words > static_cast<std::size_t>(-arity));
  }
  [[nodiscard]] bool accepts(std::size_t words) const {
    return arity >= 0 ? words == static_cast<std::size_t>(arity)
                      : words >= static_cast<std::size_t>(-arity);
  }
};

/// Subcommands stand behind their container.
[[nodiscard]] std::span<const CommandRow> command_rows();
/// The subcommands of a container.
[[nodiscard]] std::span<const CommandRow> subcommands_of(const CommandRow& container);

/// Any case; `container|subcommand` too. nullptr: there is none.
[[nodiscard]] const CommandRow* find_command(std::string_view name);
/// The row that `words` name: of a container its subcommand, or nullptr if it has none of that
/// name.
[[nodiscard]] const CommandRow* find_command(Arguments words);

/// Calls `visit(key)` for each key among `words`, which the row accepts.
template <typename Visit>
void for_each_key(const CommandRow& row, Arguments words, Visit visit) {
  if (row.first_key == 0) return;
  const std::size_t end =
      row.last_key < 0
          ? words.size() + 1 + static_cast<std::size_t>(static_cast<std::ptrdiff_t>(row.last_key))
          : static_cast<std::size_t>(row.last_key) + 1;
  for (auto i = static_cast<std::size_t>(row.first_key); i < end && i < words.size();
       i += static_cast<std::size_t>(row.key_step)) {
    visit(words[i]);
  }
}

}  // namespace stator::redis
