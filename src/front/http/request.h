#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stator::http {

enum class Method : std::uint8_t { kGet, kHead, kPut, kDelete, kOther };

/// A header of which one may stand in a request.
struct Field {
  std::string text;
  std::uint32_t count = 0;  // how often it was sent

  [[nodiscard]] bool present() const { return count > 0; }
  void clear();
};

/// One request: the head as far as this server looks at it, and the body. Lives as long as its
/// connection and is used again and again, so that its strings reach a steady state.
struct Request {
  Method method = Method::kOther;
  bool http_11 = true;
  bool keep_alive = true;
  std::string target;  // as sent
  Field host;
  Field origin;
  Field content_type;
  Field context;   // Stator-Context
  Field write_id;  // Stator-Write-Id
  Field expires;   // Stator-Expires

  enum class Expect : std::uint8_t { kNothing, kContinue, kSomethingElse };
  Expect expect = Expect::kNothing;
  /// If-Match and its like: what an always-writeable store cannot be honest about.
  bool conditional = false;
  /// Content-Encoding or Content-Range: what a stored value would not keep.
  bool encoded = false;
  /// Transfer-Encoding with anything but "chunked".
  bool foreign_transfer_encoding = false;
  bool has_body = false;
  bool chunked = false;
  std::uint64_t announced_bytes = 0;  // Content-Length

  /// The body so far, while `keep_body`; grown by what arrives, never by what is announced.
  std::string body;
  bool keep_body = false;
  std::uint64_t received_bytes = 0;  // of the body, kept or not

  void clear();
  /// Gives back what a large request took.
  void shrink();
};

}  // namespace stator::http
