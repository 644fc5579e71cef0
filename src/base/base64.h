#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Base64 (RFC 4648) for what must travel as text: contexts in headers and commands, sibling values
// in JSON.

namespace stator {

enum class Base64 : std::uint8_t {
  kStandard,  // alphabet with + and /, padded with =
  kUrl,       // alphabet with - and _, never padded
};

/// Appends the text of `bytes` to `out`.
void append_base64(std::string& out, std::string_view bytes, Base64 kind);
/// Appends the bytes of `text` to `out`. Strict: one text per byte string, so that foreign
/// characters, missing or superfluous padding and stray low bits are refused; `out` is left as it
/// was then.
[[nodiscard]] bool decode_base64(std::string_view text, Base64 kind, std::string& out);

}  // namespace stator
