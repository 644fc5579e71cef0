#include "front/redis/glob.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace stator::redis {
namespace {

// One unit of a pattern (a character, an escape, a class) against one character.
struct Unit {
  std::size_t size = 0;  // of the pattern
  bool matches = false;
};

Unit match_class(std::string_view pattern, unsigned char c) {
  std::size_t at = 1;
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  bool found = false;
  while (at < pattern.size() && pattern[at] != ']') {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
    auto low = static_cast<unsigned char>(pattern[at]);
    auto high = low;
    if (at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
      at += 2;
      if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
      high = static_cast<unsigned char>(pattern[at]);
      if (low > high) std::swap(low, high);
    }
    found = found || (low <= c && c <= high);
    ++at;
  }
  // A class that is not closed ends with the pattern.
  return {at < pattern.size() ? at + 1 : at, found != negated};
}

Unit match_unit(std::string_view pattern, char c) {
  switch (pattern.front()) {
    case '?': return {1, true};
    case '[': return match_class(pattern, static_cast<unsigned char>(c));
    case '\\':
      if (pattern.size() > 1) return {2, pattern[1] == c};
      return {1, c == '\\'};
    default: return {1, pattern.front() == c};
  }
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view text, std::size_t& steps) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // after the last '*'
  std::size_t resume = 0;                     // where the text after it was tried last
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      resume = t;
      continue;
    }
    if (p < pattern.size()) {
      const Unit unit = match_unit(pattern.substr(p), text[t]);
      steps -= std::min(steps, unit.size);
      if (steps == 0) return false;
      if (unit.matches) {
        p += unit.size;
        ++t;
        continue;
      }
    }
    if (star == std::string_view::npos) return false;
    p = star;
    t = ++resume;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool glob_match(std::string_view pattern, std::string_view text) {
  std::size_t steps = kGlobStepsMax;
  return glob_match(pattern, text, steps);
}

}  // namespace stator::redis
