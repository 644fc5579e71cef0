#include "sim/faults.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"

namespace stator::sim {

const char* to_string(FaultFamily family) {
  switch (family) {
    case FaultFamily::kMessages: return "messages";
    case FaultFamily::kLinks: return "links";
    case FaultFamily::kStreams: return "streams";
    case FaultFamily::kCuts: return "cuts";
    case FaultFamily::kDoors: return "doors";
    case FaultFamily::kCrash: return "crash";
    case FaultFamily::kKill: return "kill";
    case FaultFamily::kRestart: return "restart";
    case FaultFamily::kPause: return "pause";
    case FaultFamily::kDisk: return "disk";
    case FaultFamily::kCpu: return "cpu";
    case FaultFamily::kClock: return "clock";
    case FaultFamily::kLimits: return "limits";
    case FaultFamily::kBuggify: return "buggify";
    case FaultFamily::kFsync: return "fsync";
    case FaultFamily::kIo: return "io";
    case FaultFamily::kFull: return "full";
    case FaultFamily::kRot: return "rot";
    case FaultFamily::kWipe: return "wipe";
  }
  return "unknown";
}

bool keeps_files(FaultSet set) {
  constexpr FaultFamily kTaking[] = {FaultFamily::kCrash, FaultFamily::kFsync, FaultFamily::kIo,
                                     FaultFamily::kFull,  FaultFamily::kRot,   FaultFamily::kWipe};
  return std::none_of(std::begin(kTaking), std::end(kTaking),
                      [set](FaultFamily family) { return has(set, family); });
}

Result<FaultSet> parse_faults(std::string_view text) {
  if (text == "all") return kAllFaults;
  if (text == "disks") return kEveryFault;
  if (text == "none") return FaultSet{0};
  FaultSet set = 0;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), name.size() + 1));
    bool found = false;
    for (unsigned i = 0; i < kFaultFamilies; ++i) {
      if (name != to_string(static_cast<FaultFamily>(i))) continue;
      set |= 1U << i;
      found = true;
    }
    if (found) continue;
    return std::unexpected(Error{.code = ErrorCode::kBadRequest,
                                 .detail = "there is no family of faults '" + std::string(name) +
                                           "': use all, disks, none, or some of " +
                                           describe_faults(kEveryFault)});
  }
  return set;
}

bool names_group(std::string_view text) {
  return text == "all" || text == "disks";
}

std::string describe_faults(FaultSet set) {
  std::string names;
  for (unsigned i = 0; i < kFaultFamilies; ++i) {
    if (!has(set, static_cast<FaultFamily>(i))) continue;
    if (!names.empty()) names += ",";
    names += to_string(static_cast<FaultFamily>(i));
  }
  return names.empty() ? "none" : names;
}

FaultSet draw_swarm(FaultSet wanted, Random& random) {
  FaultSet drawn = 0;
  for (unsigned i = 0; i < kFaultFamilies; ++i) {
    if (random.chance(0.5)) drawn |= wanted & (1U << i);
  }
  return drawn;
}

FaultMenu FaultMenu::draw(Random& random) {
  FaultMenu menu;
  for (std::uint32_t& kinds : menu.kinds_) kinds = static_cast<std::uint32_t>(random.next() >> 32);
  return menu;
}

unsigned FaultMenu::choose(FaultFamily family, unsigned kinds, Random& random) const {
  STATOR_ASSERT(kinds > 0 && kinds <= 32);
  unsigned allowed = 0;
  for (unsigned kind = 0; kind < kinds; ++kind) allowed += allows(family, kind) ? 1 : 0;
  if (allowed == 0) return static_cast<unsigned>(random.below(kinds));
  auto left = static_cast<unsigned>(random.below(allowed));
  for (unsigned kind = 0;; ++kind) {
    if (allows(family, kind) && left-- == 0) return kind;
  }
}

}  // namespace stator::sim
