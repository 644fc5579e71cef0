#include "front/http/request.h"

namespace stator::http {
namespace {

constexpr std::size_t kKept = 512;

void shrink_text(std::string& text) {
  if (text.capacity() > kKept) std::string().swap(text);
}

}  // namespace

void Field::clear() {
  text.clear();
  count = 0;
}

void Request::clear() {
  method = Method::kOther;
  http_11 = true;
  keep_alive = true;
  target.clear();
  for (Field* field : {&host, &origin, &content_type, &context, &write_id, &expires})
    field->clear();
  expect = Expect::kNothing;
  conditional = false;
  encoded = false;
  foreign_transfer_encoding = false;
  has_body = false;
  chunked = false;
  announced_bytes = 0;
  body.clear();
  keep_body = false;
  received_bytes = 0;
}

void Request::shrink() {
  shrink_text(target);
  shrink_text(body);
  for (Field* field : {&host, &origin, &content_type, &context, &write_id, &expires})
    shrink_text(field->text);
}

}  // namespace stator::http
