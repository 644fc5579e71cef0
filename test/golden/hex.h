#pragma once

#include <filesystem>
#include <fstream>
#include <istream>
#include <sstream>
#include <string>
#include <string_view>

// Bytes as the golden files and the examples of docs/format show them.

namespace stator::golden {

inline std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
    out += i % 32 == 31 || i + 1 == bytes.size() ? '\n' : ' ';
  }
  return out;
}

/// Bytes in hex up to a line that begins with `end`: `#` begins a comment, white space does not
/// count.
inline std::string from_hex(std::istream& in, std::string_view end) {
  std::string bytes, line;
  while (std::getline(in, line) && (end.empty() || !line.starts_with(end))) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    while (words >> word) bytes += static_cast<char>(std::stoi(word, nullptr, 16));
  }
  return bytes;
}
inline std::string from_hex(const std::filesystem::path& path) {
  std::ifstream in(path);
  return from_hex(in, "");
}

/// The first block of a page behind the line `heading`; empty when there is none.
inline std::string example_of(const std::filesystem::path& page, std::string_view heading) {
  std::ifstream in(page);
  std::string line;
  while (std::getline(in, line) && line != heading) {
  }
  while (std::getline(in, line) && line != "```") {
  }
  return from_hex(in, "```");
}

}  // namespace stator::golden
