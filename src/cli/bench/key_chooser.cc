#include "cli/bench/key_chooser.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"

namespace stator::bench {

KeyChooser::KeyChooser(std::uint64_t count, double theta) : count_(count), theta_(theta) {
  STATOR_ASSERT(count >= 1 && count <= kCountMax && theta >= 0 && theta <= 10);
  // Rank k owns the strip from k - 1/2 to k + 1/2; the first one is cut to its own height, 1.
  area_first_ = integral(1.5) - 1;
  area_last_ = integral(static_cast<double>(count) + 0.5);
  sure_ = 2 - inverse(integral(2.5) - density(2));
}

std::uint64_t KeyChooser::draw(SplitMix64& random) const {
  if (theta_ == 0) return random.below(count_);
  while (true) {
    const double area = area_last_ + random.unit() * (area_first_ - area_last_);
    const double x = inverse(area);
    const double rank = std::clamp(std::round(x), 1.0, static_cast<double>(count_));
    if (rank - x <= sure_ || area >= integral(rank + 0.5) - density(rank)) {
      return static_cast<std::uint64_t>(rank) - 1;
    }
  }
}

double KeyChooser::density(double x) const {
  return std::pow(x, -theta_);
}

// Of x^-theta from 1. expm1 and log1p keep it exact where theta is near 1, and at 1 it is log x.
double KeyChooser::integral(double x) const {
  const double power = 1 - theta_;
  const double log = std::log(x);
  return power == 0 ? log : std::expm1(power * log) / power;
}

double KeyChooser::inverse(double area) const {
  const double power = 1 - theta_;
  // Rounding may lead a hair below the pole of a theta over 1.
  return power == 0 ? std::exp(area) : std::exp(std::log1p(std::max(power * area, -1.0)) / power);
}

}  // namespace stator::bench
