#include "front/http/services.h"

#include "front/http/text.h"

namespace stator::http {

std::string_view Services::date() {
  const WallTime now = executor.wall_now();
  const std::int64_t second = now.us / 1'000'000;
  if (second != date_second) {
    date_second = second;
    date_text.clear();
    append_http_date(date_text, now);
  }
  return date_text;
}

}  // namespace stator::http
