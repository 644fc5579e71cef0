#include "sim/story.h"

#include <algorithm>
#include <cinttypes>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace stator::sim {
namespace {

class Teller {
 public:
  std::string name(const WriteId& id) {
    if (!id) return "w?";
    const auto [at, fresh] = names_.emplace(id, names_.size() + 1);
    return "w" + std::to_string(at->second);
  }
  std::string dot(const Dot& dot) {
    const auto [at, fresh] = incarnations_.emplace(dot.actor.incarnation, incarnations_.size());
    std::string letter(1, static_cast<char>('A' + at->second % 26));
    if (at->second >= 26) letter += std::to_string(at->second / 26);
    return letter + std::to_string(dot.actor.life) + ":" + std::to_string(dot.counter);
  }
  template <typename Ids>
  std::string names(const Ids& ids) {
    std::string text;
    for (const WriteId& id : ids) text += (text.empty() ? "" : " ") + name(id);
    return "{" + text + "}";
  }
  template <typename Versions>
  std::string versions(const Versions& versions) {
    std::string text;
    for (const VersionSeen& each : versions) {
      text += (text.empty() ? "" : " ") + name(each.id) + (each.tombstone ? "(dead)" : "") + "@" +
              dot(each.dot);
    }
    return "{" + text + "}";
  }
  void say(MonoTime when, std::string text) {
    lines_.push_back({when, lines_.size(), std::move(text)});
  }
  void print(std::FILE* out) {
    std::ranges::sort(lines_, {},
                      [](const Line& line) { return std::pair(line.when, line.number); });
    for (const Line& line : lines_) {
      std::fprintf(out, "  %11.6f  %s\n", static_cast<double>(line.when.ns) / 1e9,
                   line.text.c_str());
    }
    for (const auto& [id, number] : names_) {
      std::fprintf(out, "  w%zu = %016" PRIx64 "-%016" PRIx64 "\n", number, id.high, id.low);
    }
  }

 private:
  std::map<WriteId, std::size_t> names_;
  std::map<Incarnation, std::size_t> incarnations_;
  struct Line {
    MonoTime when{};
    std::size_t number = 0;
    std::string text;
  };
  std::vector<Line> lines_;
};

}  // namespace

void tell_story(const KeyLog& log, std::FILE* out) {
  Teller teller;
  for (const WriteCall& call : log.writes) {
    const std::string what =
        teller.name(call.id) + (call.plain ? " plain" : "") + (call.tombstone ? " delete" : "") +
        (call.plain ? "" : " saw " + teller.names(call.seen)) + (call.forged ? " FORGED" : "");
    teller.say(call.begin, what + " asked");
    if (call.end.ns != INT64_MAX) {
      teller.say(call.end, teller.name(call.id) + " answered " + to_string(call.outcome) + " by " +
                               std::to_string(call.evidence.primaries));
    }
  }
  for (const MintEvent& mint : log.mints) {
    teller.say(mint.when, teller.name(mint.id) + " minted @" + teller.dot(mint.dot) + " dropped " +
                              teller.names(mint.superseded));
  }
  for (const Promise& promise : log.promises) {
    std::string owners;
    for (const NodeNumber owner : promise.owners) owners += " n" + std::to_string(owner);
    teller.say(promise.when, teller.name(promise.id) + " acknowledged with the copies of" + owners);
  }
  for (const HintGone& hint : log.hints_gone) {
    teller.say(hint.when, "n" + std::to_string(hint.keeper) + " let go of " +
                              teller.names(hint.kept) + " for n" + std::to_string(hint.owner) +
                              ", which " +
                              (hint.held_known ? "held " + teller.names(hint.held) : "was away"));
  }
  if (log.rotten_at.ns != INT64_MAX) teller.say(log.rotten_at, "a stored copy rots");
  for (const ReadCall& read : log.reads) {
    char span[32];
    std::snprintf(span, sizeof span, "%.6f", static_cast<double>(read.begin.ns) / 1e9);
    teller.say(read.end, std::string("read of ") + std::to_string(read.evidence.primaries) +
                             " since " + span + " returned " + teller.versions(read.versions));
  }
  for (const CopyHeld& copy : log.copies) {
    teller.say({INT64_MAX}, "before all was read, n" + std::to_string(copy.owner) + " held " +
                                teller.names(copy.versions));
  }
  std::fprintf(out, "story of %s/%.60s\n", log.bucket.c_str(), log.key.c_str());
  teller.say({INT64_MAX}, "in the end " + teller.versions(log.final_versions));
  teller.print(out);
}

}  // namespace stator::sim
