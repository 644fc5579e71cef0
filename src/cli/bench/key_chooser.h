#pragma once

#include <cstdint>

#include "base/random.h"

namespace stator::bench {

/// Draws key numbers 0 to count-1: number k with a probability in proportion to 1/(k+1)^theta.
/// theta 0 is uniform; 0.99 is what most published figures use; 1 and more are allowed. Which node
/// holds a key follows from a hash of its name, so that the hot ones need no scattering here.
///
/// By rejection from the inverted integral of x^-theta (W. Hörmann, G. Derflinger, "Rejection-
/// inversion to generate variates from monotone discrete distributions", 1996): no table, constant
/// memory and at most about 1.1 tries whatever count and theta are. Pure.
class KeyChooser {
 public:
  static constexpr std::uint64_t kCountMax = std::uint64_t{1} << 32;

  /// `count` from 1 to kCountMax, `theta` from 0 to 10.
  KeyChooser(std::uint64_t count, double theta);

  [[nodiscard]] std::uint64_t draw(SplitMix64& random) const;

 private:
  [[nodiscard]] double density(double x) const;
  [[nodiscard]] double integral(double x) const;
  [[nodiscard]] double inverse(double area) const;

  std::uint64_t count_;
  double theta_;
  double area_first_ = 0;
  double area_last_ = 0;
  double sure_ = 0;  // nearer to the integer than this: certainly below the curve
};

}  // namespace stator::bench
