#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stator::cli {

/// The one of `names` that somebody who typed `wrong` most probably meant; empty when none is near.
/// Counts inserted, lost, wrong and swapped letters.
[[nodiscard]] std::string nearest(std::string_view wrong, const std::vector<std::string>& names);

}  // namespace stator::cli
