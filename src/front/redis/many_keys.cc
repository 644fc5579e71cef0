#include "front/redis/many_keys.h"

#include <algorithm>
#include <tuple>

#include "front/redis/errors.h"

namespace stator::redis {
namespace {

void pump(Command& command) {
  Command::Parts& parts = command.parts;
  if (parts.running) return;  // a part ended at once: the loop below goes on
  parts.running = true;
  while (!parts.failed && parts.open < kPartsOpenMax && parts.next < parts.list.size()) {
    ++parts.open;
    parts.start(command, parts.next++);
  }
  parts.running = false;
  if (parts.open == 0) parts.end(command);
}

}  // namespace

void make_parts(Call& call, std::size_t step, bool once) {
  Command& command = call.command;
  command.words.keep(call.words);
  auto& list = command.parts.list;
  for (std::size_t i = 1; i < call.words.size(); i += step) {
    list.push_back({.word = static_cast<std::uint32_t>(i)});
  }
  if (!once || list.size() < 2) return;
  // Sorted by key, the last of its equals first; that one stays.
  const auto order = [&](const Command::Part& a, const Command::Part& b) {
    return std::tuple(command.words[a.word], b.word) < std::tuple(command.words[b.word], a.word);
  };
  std::ranges::sort(list, order);
  const auto same = [&](const Command::Part& a, const Command::Part& b) {
    return command.words[a.word] == command.words[b.word];
  };
  const auto doubles = std::ranges::unique(list, same);
  list.erase(doubles.begin(), doubles.end());
}

void run_parts(Command& command, StartPart start, EndParts end) {
  command.parts.start = start;
  command.parts.end = end;
  pump(command);
}

void part_done(Command& command) {
  --command.parts.open;
  pump(command);
}

void part_failed(Command& command, const Error& error) {
  Command::Parts& parts = command.parts;
  parts.failed = true;
  if (parts.error.empty()) {
    RespWriter out(parts.error, 2);
    write_error(out, error);
  }
  part_done(command);
}

void part_failed(Command& command, const node::WriteResult& result) {
  Command::Parts& parts = command.parts;
  const bool unknown = result.outcome == Outcome::kUnknown;
  parts.failed = true;
  // The first unknown outcome matters more than any write that was not applied.
  if (parts.error.empty() || (unknown && !parts.unknown)) {
    parts.error.clear();
    RespWriter out(parts.error, 2);
    write_outcome(out, result);
  }
  parts.unknown = parts.unknown || unknown;
  part_done(command);
}

void answer_failed_writes(Command& command) {
  const Command::Parts& parts = command.parts;
  RespWriter out = command.reply();
  if (parts.unknown || parts.succeeded == 0) {
    out.raw(parts.error);
  } else {
    const std::string_view why = std::string_view(parts.error).substr(1);
    out.begin_error("PARTIAL");
    out.add(std::int64_t{parts.succeeded}).add(" of ");
    out.add(static_cast<std::int64_t>(parts.list.size()));
    out.add(" keys were written, the others were not; repeat the command: ");
    out.add(why.substr(0, why.size() - 2));
    out.end_error();
  }
  command.finish();
}

}  // namespace stator::redis
