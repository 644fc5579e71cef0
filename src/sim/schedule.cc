#include "sim/schedule.h"

#include <algorithm>
#include <charconv>

namespace stator::sim {
namespace {

constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();

bool read_number(std::string_view text, std::uint64_t& number) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc() && end == text.data() + text.size();
}

}  // namespace

NumberSet NumberSet::all() {
  NumberSet set;
  set.runs_.emplace_back(0, kLast);
  return set;
}

NumberSet NumberSet::of(const std::vector<std::uint64_t>& numbers) {
  NumberSet set;
  for (const std::uint64_t number : numbers) {
    if (!set.runs_.empty() && set.runs_.back().second + 1 == number) {
      set.runs_.back().second = number;
    } else {
      set.runs_.emplace_back(number, number);
    }
  }
  return set;
}

Result<NumberSet> NumberSet::parse(std::string_view text) {
  if (text == "all") return all();
  if (text == "none") return none();
  NumberSet set;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const std::size_t dash = part.find('-');
    Run run;
    const bool sound =
        read_number(part.substr(0, dash), run.first) &&
        read_number(dash == std::string_view::npos ? part : part.substr(dash + 1), run.second);
    const bool rises = set.runs_.empty() || run.first > set.runs_.back().second;
    if (!sound || run.second < run.first || !rises) {
      return std::unexpected(Error{.code = ErrorCode::kBadRequest,
                                   .detail = "'" + std::string(part) +
                                             "' is no number and no run of numbers that follows "
                                             "those before it: write all, none, or as in 3,7-12"});
    }
    set.runs_.push_back(run);
  }
  return set;
}

bool NumberSet::contains(std::uint64_t number) const {
  const auto after =
      std::upper_bound(runs_.begin(), runs_.end(), number,
                       [](std::uint64_t wanted, const Run& run) { return wanted < run.first; });
  return after != runs_.begin() && std::prev(after)->second >= number;
}

bool NumberSet::is_all() const {
  return runs_.size() == 1 && runs_.front() == Run{0, kLast};
}

std::string NumberSet::text() const {
  if (is_all()) return "all";
  if (runs_.empty()) return "none";
  std::string out;
  for (const auto& [first, last] : runs_) {
    if (!out.empty()) out += ',';
    out += std::to_string(first);
    if (last != first) out.append("-").append(std::to_string(last));
  }
  return out;
}

bool Schedule::whole() const {
  return *this == Schedule{};
}

std::string to_flags(const Schedule& schedule) {
  std::string flags;
  if (schedule.until != Schedule{}.until) {
    flags += " --until-ms " + std::to_string(schedule.until.ms());
  }
  if (!schedule.strikes.is_all()) flags += " --strikes " + schedule.strikes.text();
  if (!schedule.operations.is_all()) flags += " --operations " + schedule.operations.text();
  if (schedule.variation != 0) flags += " --variation " + std::to_string(schedule.variation);
  return flags;
}

}  // namespace stator::sim
