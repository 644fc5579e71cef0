#include "cli/bench/workload.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace stator::bench {

namespace {

std::unexpected<Error> bad(std::string detail) {
  return std::unexpected(Error{.code = ErrorCode::kBadRequest, .detail = std::move(detail)});
}

std::string all_names() {
  std::string names;
  for (const std::string_view name : kOpNames) {
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return names;
}

}  // namespace

OpKind Mix::at(double unit) const {
  std::size_t last = 0;
  for (std::size_t i = 0; i < kOpKinds; ++i) {
    if (shares[i] == 0) continue;
    last = i;  // rounding may leave a rest, which is of the last one that has a share
    if (unit < shares[i]) break;
    unit -= shares[i];
  }
  return static_cast<OpKind>(last);
}

Result<Mix> parse_mix(std::string_view text) {
  Mix mix;
  double sum = 0;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const std::string_view name = part.substr(0, part.find('='));
    const auto* const known = std::find(kOpNames.begin(), kOpNames.end(), name);
    if (known == kOpNames.end()) {
      return bad("'" + std::string(name) + "' is no operation: " + all_names());
    }
    double weight = 1;
    if (name.size() < part.size()) {
      const std::string_view number = part.substr(name.size() + 1);
      const auto [end, error] =
          std::from_chars(number.data(), number.data() + number.size(), weight);
      if (error != std::errc{} || end != number.data() + number.size() || !(weight >= 0) ||
          weight > 1e9) {
        return bad("'" + std::string(part) + "' has no weight: a number from 0, as in get=90");
      }
    }
    double& share = mix.shares[static_cast<std::size_t>(known - kOpNames.begin())];
    if (share != 0) return bad("'" + std::string(name) + "' is named twice");
    share = weight;
    sum += weight;
  }
  if (sum == 0) return bad("no operation has a weight over 0");
  for (double& share : mix.shares) share /= sum;
  return mix;
}

Operation Workload::next() {
  Operation operation;
  operation.kind = mix_.at(random_.unit());
  operation.key = keys_.draw(random_);
  operation.value_bytes = size();
  return operation;
}

Operation Workload::fill(std::uint64_t key) {
  Operation operation;
  operation.kind = OpKind::kSet;
  operation.key = key;
  operation.value_bytes = size();
  return operation;
}

std::uint32_t Workload::size() {
  return static_cast<std::uint32_t>(random_.between(sizes_.min, sizes_.max));
}

}  // namespace stator::bench
