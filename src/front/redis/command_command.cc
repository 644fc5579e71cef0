#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "front/redis/errors.h"
#include "front/redis/glob.h"
#include "front/redis/handlers.h"
#include "front/redis/redis_front.h"
#include "front/redis/text.h"

// COMMAND in all its forms, from the table. Clients read arity and the positions of keys from it;
// redis-cli its hints.

namespace stator::redis {
namespace {

struct Word {
  std::uint16_t flag;
  std::string_view name;
};
constexpr Word kFlagNames[] = {{kWrite, "write"},
                               {kReadonly, "readonly"},
                               {kFast, "fast"},
                               {kAdmin, "admin"},
                               {kNoAuth, "no_auth"}};

// A short question may not have an answer of any size.
constexpr std::size_t kNamesMax = 256;
constexpr std::string_view kTooManyNames = "more than 256 names; ask without names for all";

std::size_t top_level_count() {
  return static_cast<std::size_t>(std::ranges::count_if(
      command_rows(), [](const CommandRow& row) { return !row.is_subcommand(); }));
}

void write_flags(RespWriter& out, const CommandRow& row) {
  std::size_t count = 0;
  for (const Word& word : kFlagNames) count += row.is(word.flag);
  out.set(count);
  for (const Word& word : kFlagNames) {
    if (row.is(word.flag)) out.simple(word.name);
  }
}

void write_categories(RespWriter& out, const CommandRow& row) {
  std::vector<std::string_view> names;
  if (row.is(kWrite)) names.push_back("@write");
  if (row.is(kReadonly)) names.push_back("@read");
  if (row.group == Group::kString || row.group == Group::kStator) names.push_back("@string");
  if (row.group == Group::kGeneric) names.push_back("@keyspace");
  if (row.group == Group::kConnection) names.push_back("@connection");
  if (row.is(kAdmin)) names.push_back("@admin");
  if (row.is(kAdmin)) names.push_back("@dangerous");
  names.push_back(row.is(kFast) ? "@fast" : "@slow");
  out.set(names.size());
  for (const std::string_view name : names) out.simple(name);
}

void write_key_specs(RespWriter& out, const CommandRow& row) {
  if (row.first_key == 0) {
    out.array(0);
    return;
  }
  out.array(1);
  out.map(3);
  out.bulk("flags");
  out.set(2);
  out.simple(row.is(kWrite) ? "RW" : "RO");
  out.simple(row.is(kWrite) ? "UPDATE" : "ACCESS");
  out.bulk("begin_search");
  out.map(2);
  out.bulk("type");
  out.bulk("index");
  out.bulk("spec");
  out.map(1);
  out.bulk("index");
  out.integer(row.first_key);
  out.bulk("find_keys");
  out.map(2);
  out.bulk("type");
  out.bulk("range");
  out.bulk("spec");
  out.map(3);
  out.bulk("lastkey");
  out.integer(row.last_key < 0 ? row.last_key : row.last_key - row.first_key);
  out.bulk("keystep");
  out.integer(row.key_step);
  out.bulk("limit");
  out.integer(0);
}

void write_row(RespWriter& out, const CommandRow& row) {
  out.array(10);
  out.bulk(row.name);
  out.integer(row.arity);
  write_flags(out, row);
  out.integer(row.first_key);
  out.integer(row.last_key);
  out.integer(row.key_step);
  write_categories(out, row);
  out.array(0);  // hints for proxies: none
  write_key_specs(out, row);
  const auto subcommands = subcommands_of(row);
  out.array(subcommands.size());
  for (const CommandRow& subcommand : subcommands) write_row(out, subcommand);
}

void write_all(RespWriter& out) {
  out.array(top_level_count());
  for (const CommandRow& row : command_rows()) {
    if (!row.is_subcommand()) write_row(out, row);
  }
}

void write_docs(RespWriter& out, const CommandRow& row) {
  const auto subcommands = subcommands_of(row);
  out.bulk(row.name);
  out.map(subcommands.empty() ? 3 : 4);
  out.bulk("summary");
  out.bulk(row.summary);
  out.bulk("since");
  out.bulk(row.since);
  out.bulk("group");
  out.bulk(to_string(row.group));
  if (subcommands.empty()) return;
  out.bulk("subcommands");
  out.map(subcommands.size());
  for (const CommandRow& subcommand : subcommands) write_docs(out, subcommand);
}

}  // namespace

void do_command(Call& call) {
  RespWriter out = call.command.reply();
  write_all(out);
  call.command.finish();
}

void do_command_count(Call& call) {
  call.command.reply().integer(static_cast<std::int64_t>(top_level_count()));
  call.command.finish();
}

void do_command_list(Call& call) {
  std::string pattern = "*";
  if (call.words.size() == 5 && equal_ignoring_case(call.words[2], "filterby") &&
      equal_ignoring_case(call.words[3], "pattern") && call.words[4].size() <= kGlobBytesMax) {
    pattern = lower_case(call.words[4]);
  } else if (call.words.size() != 2) {
    call.command.reply().error("ERR", "syntax error: COMMAND LIST [FILTERBY PATTERN pattern]");
    call.command.finish();
    return;
  }
  const auto wanted = [&](const CommandRow& row) {
    return !row.is_subcommand() && glob_match(pattern, row.name);
  };
  RespWriter out = call.command.reply();
  out.set(static_cast<std::size_t>(std::ranges::count_if(command_rows(), wanted)));
  for (const CommandRow& row : command_rows()) {
    if (wanted(row)) out.bulk(row.name);
  }
  call.command.finish();
}

void do_command_info(Call& call) {
  RespWriter out = call.command.reply();
  const Arguments names = call.words.subspan(2);
  if (names.size() > kNamesMax) {
    out.error("ERR", kTooManyNames);
  } else if (names.empty()) {
    write_all(out);
  } else {
    out.array(names.size());
    for (const std::string_view name : names) {
      const CommandRow* row = find_command(name);
      if (row != nullptr) {
        write_row(out, *row);
      } else {
        out.null();
      }
    }
  }
  call.command.finish();
}

void do_command_docs(Call& call) {
  if (call.words.size() > kNamesMax) {
    call.command.reply().error("ERR", kTooManyNames);
    call.command.finish();
    return;
  }
  std::vector<const CommandRow*> rows;
  for (const std::string_view name : call.words.subspan(2)) {
    const CommandRow* row = find_command(name);
    if (row != nullptr) rows.push_back(row);
  }
  if (call.words.size() == 2) {
    for (const CommandRow& row : command_rows()) {
      if (!row.is_subcommand()) rows.push_back(&row);
    }
  }
  RespWriter out = call.command.reply();
  out.map(rows.size());
  for (const CommandRow* row : rows) write_docs(out, *row);
  call.command.finish();
}

void do_command_getkeys(Call& call) {
  const Arguments words = call.words.subspan(2);
  const CommandRow* row = find_command(words);
  RespWriter out = call.command.reply();
  if (row == nullptr || !row->accepts(words.size())) {
    out.error("ERR", row == nullptr ? "Invalid command specified"
                                    : "Invalid number of arguments specified for command");
  } else if (row->first_key == 0) {
    out.error("ERR", "The command has no key arguments");
  } else {
    std::size_t count = 0;
    for_each_key(*row, words, [&](std::string_view) { ++count; });
    out.array(count);
    for_each_key(*row, words, [&](std::string_view key) { out.bulk(key); });
  }
  call.command.finish();
}

}  // namespace stator::redis
