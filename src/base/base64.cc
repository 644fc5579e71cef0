#include "base/base64.h"

#include <array>

namespace stator {
namespace {

constexpr std::string_view kStandardAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kForeign = 0xFF;

using Reverse = std::array<std::uint8_t, 256>;

constexpr Reverse reverse_of(std::string_view alphabet) {
  Reverse reverse{};
  reverse.fill(kForeign);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    reverse[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return reverse;
}

constexpr Reverse kStandardReverse = reverse_of(kStandardAlphabet);
constexpr Reverse kUrlReverse = reverse_of(kUrlAlphabet);

std::uint32_t octet(std::string_view bytes, std::size_t i) {
  return i < bytes.size() ? static_cast<std::uint8_t>(bytes[i]) : 0U;
}

// Takes away the padding of the standard form; false when it is not exactly what is due.
bool strip_padding(std::string_view& text) {
  if (text.size() % 4 != 0) return false;
  for (int most = 2; most > 0 && text.ends_with('='); --most) text.remove_suffix(1);
  return true;
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes, Base64 kind) {
  const std::string_view alphabet = kind == Base64::kUrl ? kUrlAlphabet : kStandardAlphabet;
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::uint32_t group =
        octet(bytes, at) << 16 | octet(bytes, at + 1) << 8 | octet(bytes, at + 2);
    const std::size_t digits = bytes.size() - at >= 3 ? 4 : bytes.size() - at + 1;
    for (std::size_t digit = 0; digit < 4; ++digit) {
      if (digit < digits) {
        out.push_back(alphabet[group >> (18 - 6 * digit) & 0x3F]);
      } else if (kind == Base64::kStandard) {
        out.push_back('=');
      }
    }
  }
}

bool decode_base64(std::string_view text, Base64 kind, std::string& out) {
  if (kind == Base64::kStandard && !strip_padding(text)) return false;
  if (text.size() % 4 == 1) return false;
  const Reverse& reverse = kind == Base64::kUrl ? kUrlReverse : kStandardReverse;
  const std::size_t start = out.size();
  out.reserve(start + text.size() / 4 * 3 + 2);
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const std::uint8_t digit = reverse[static_cast<std::uint8_t>(c)];
    if (digit == kForeign) {
      out.resize(start);
      return false;
    }
    group = group << 6 | digit;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out.push_back(static_cast<char>(group >> bits & 0xFF));
  }
  if ((group & ((1U << bits) - 1)) != 0) {
    out.resize(start);
    return false;
  }
  return true;
}

}  // namespace stator
