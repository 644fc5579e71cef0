#include "front/redis/resp_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "front/redis/text.h"

namespace stator::redis {
namespace {

constexpr std::size_t kErrorPieceMax = 512;

}  // namespace

void RespWriter::line(char type, std::string_view text) {
  out_->push_back(type);
  out_->append(text);
  out_->append("\r\n", 2);
}

void RespWriter::number(char type, std::int64_t value) {
  char text[24];
  text[0] = type;
  char* end = std::to_chars(text + 1, text + sizeof text - 2, value).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out_->append(text, static_cast<std::size_t>(end - text));
}

void RespWriter::bulk(std::string_view bytes) {
  number('$', static_cast<std::int64_t>(bytes.size()));
  out_->append(bytes);
  out_->append("\r\n", 2);
}

void RespWriter::null() {
  out_->append(resp3_ ? "_\r\n" : "$-1\r\n");
}

void RespWriter::real(double value) {
  char text[32];
  std::string_view digits = std::signbit(value) ? "-inf" : "inf";
  if (std::isnan(value)) digits = "nan";
  if (std::isfinite(value)) {
    const char* end = std::to_chars(text, text + sizeof text, value).ptr;
    digits = {text, static_cast<std::size_t>(end - text)};
  }
  if (resp3_) {
    line(',', digits);
  } else {
    bulk(digits);
  }
}

void RespWriter::verbatim(std::string_view text) {
  if (!resp3_) {
    bulk(text);
    return;
  }
  number('=', static_cast<std::int64_t>(text.size() + 4));
  out_->append("txt:", 4);
  out_->append(text);
  out_->append("\r\n", 2);
}

void RespWriter::map(std::size_t pairs) {
  number(resp3_ ? '%' : '*', static_cast<std::int64_t>(resp3_ ? pairs : pairs * 2));
}

void RespWriter::error(std::string_view prefix, std::string_view text) {
  begin_error(prefix);
  add(text);
  end_error();
}

void RespWriter::begin_error(std::string_view prefix) {
  out_->push_back('-');
  out_->append(prefix);
  out_->push_back(' ');
}

RespWriter& RespWriter::add(std::string_view text) {
  for (const char c : text.substr(0, kErrorPieceMax)) {
    out_->push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c);
  }
  return *this;
}

RespWriter& RespWriter::add(std::int64_t value) {
  append_number(*out_, value);
  return *this;
}

void RespWriter::end_error() {
  out_->append("\r\n", 2);
}

}  // namespace stator::redis
