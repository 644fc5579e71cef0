#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stator::redis {

/// Appends replies in RESP2 or RESP3 to a buffer that the caller owns; nothing else is allocated.
/// A type that RESP2 lacks becomes what Redis makes of it there: a map its flat array, a null the
/// null bulk string, a double and a verbatim text a bulk string.
class RespWriter {
 public:
  RespWriter(std::string& out, int protocol) : out_(&out), resp3_(protocol >= 3) {}

  void simple(std::string_view text) { line('+', text); }
  void ok() { out_->append("+OK\r\n", 5); }
  void integer(std::int64_t value) { number(':', value); }
  void bulk(std::string_view bytes);
  void null();
  void real(double value);
  /// Text for people: INFO, CLUSTER NODES.
  void verbatim(std::string_view text);

  // What follows are the members, each written by a call of its own.
  void array(std::size_t members) { number('*', static_cast<std::int64_t>(members)); }
  void map(std::size_t pairs);
  void set(std::size_t members) { number(resp3_ ? '~' : '*', static_cast<std::int64_t>(members)); }

  /// `-PREFIX text`. Control characters of the text become spaces and it is cut at 512 bytes: it
  /// may quote what a client sent.
  void error(std::string_view prefix, std::string_view text);
  /// Of further pieces, between begin_error and end_error.
  void begin_error(std::string_view prefix);
  RespWriter& add(std::string_view text);
  RespWriter& add(std::int64_t value);
  void end_error();

  [[nodiscard]] bool resp3() const { return resp3_; }
  /// Bytes that are replies already.
  void raw(std::string_view bytes) { out_->append(bytes); }
  [[nodiscard]] std::string& out() { return *out_; }

 private:
  void line(char type, std::string_view text);
  void number(char type, std::int64_t value);

  std::string* out_;
  bool resp3_;
};

}  // namespace stator::redis
