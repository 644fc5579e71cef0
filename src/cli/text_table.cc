#include "cli/text_table.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <ostream>

namespace stator::cli {

namespace {

// Characters, not bytes: UTF-8 goes on with 10xxxxxx.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6) != 2; }));
}

}  // namespace

void TextTable::print(std::ostream& out, bool bold) const {
  std::vector<std::size_t> widths;
  std::vector<bool> numbers;
  for (const std::string& title : titles_) {
    numbers.push_back(title.starts_with('>'));
    widths.push_back(width_of(title) - (numbers.back() ? 1 : 0));
  }
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  const auto line = [&](const std::vector<std::string>& cells, bool strip) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = strip && numbers[i] ? cells[i].substr(1) : cells[i];
      const std::string padding(widths[i] - width_of(cell), ' ');
      text += (i == 0 ? "" : "  ") + (numbers[i] ? padding + cell : cell + padding);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  out << (bold ? "\033[1m" : "") << line(titles_, true) << (bold ? "\033[0m" : "") << '\n';
  for (const auto& row : rows_) out << line(row, false) << '\n';
}

void print_pairs(const std::vector<std::pair<std::string, std::string>>& pairs, std::ostream& out) {
  std::size_t width = 0;
  for (const auto& [name, value] : pairs) width = std::max(width, name.size());
  for (const auto& [name, value] : pairs) {
    out << name << std::string(width + 2 - name.size(), ' ') << value << '\n';
  }
}

std::string printable(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += std::string("\\x") + kHex[byte >> 4] + kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

std::string human_time_ms(std::int64_t ms) {
  if (ms < 1000) return std::to_string(ms) + " ms";
  const std::int64_t s = ms / 1000;
  if (s < 120) return std::to_string(s) + " s";
  if (s < 7200) return std::to_string(s / 60) + " min";
  if (s < 172'800) return std::to_string(s / 3600) + " h " + std::to_string(s % 3600 / 60) + " min";
  return std::to_string(s / 86'400) + " d " + std::to_string(s % 86'400 / 3600) + " h";
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

}  // namespace stator::cli
