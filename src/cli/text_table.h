#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace stator::cli {

/// Columns for people: a row of titles, then rows, each column as wide as its widest cell.
class TextTable {
 public:
  /// A title that begins with '>' is of a column of numbers, set to the right.
  explicit TextTable(std::vector<std::string> titles) : titles_(std::move(titles)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// `bold`: titles stand out (a terminal).
  void print(std::ostream& out, bool bold) const;

 private:
  std::vector<std::string> titles_;
  std::vector<std::vector<std::string>> rows_;
};

/// "name   value" lines, one per pair.
void print_pairs(const std::vector<std::pair<std::string, std::string>>& pairs, std::ostream& out);

/// Bytes on one line of a terminal: what is not printable is escaped as in C.
[[nodiscard]] std::string printable(std::string_view bytes);
/// "3 d 4 h", "12 s"; for people.
[[nodiscard]] std::string human_time_ms(std::int64_t ms);
/// "1.5 MiB".
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);

}  // namespace stator::cli
