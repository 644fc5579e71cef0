#include "front/http/testing/answers.h"

#include <cctype>
#include <charconv>

namespace stator::http::testing {
namespace {

bool parse_head(std::string_view head, Answer& answer) {
  if (!head.starts_with("HTTP/1.1 ") || head.size() < 13) return false;
  const auto [end, error] = std::from_chars(head.data() + 9, head.data() + 12, answer.status);
  if (error != std::errc() || end != head.data() + 12) return false;
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    const std::size_t eol = head.find("\r\n");
    const std::string_view line = head.substr(0, eol);
    const std::size_t colon = line.find(": ");
    if (eol == std::string_view::npos || colon == std::string_view::npos) return false;
    std::string name;
    for (const char c : line.substr(0, colon))
      name.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    if (!answer.headers.emplace(name, line.substr(colon + 2)).second) return false;  // twice
    head.remove_prefix(eol + 2);
  }
  return true;
}

}  // namespace

std::string Answer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::vector<Answer> parse_answers(std::string_view bytes, bool heads) {
  std::vector<Answer> answers;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return {};
    Answer answer;
    if (!parse_head(bytes.substr(0, end + 2), answer)) return {};
    bytes.remove_prefix(end + 4);
    const std::string length = answer.header("content-length");
    const bool bodiless = heads || answer.status == 204 || answer.status == 100;
    if (!bodiless) {
      std::size_t size = 0;
      const auto [stop, error] =
          std::from_chars(length.data(), length.data() + length.size(), size);
      if (error != std::errc() || stop != length.data() + length.size() || size > bytes.size())
        return {};
      answer.body = bytes.substr(0, size);
      bytes.remove_prefix(size);
    }
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace stator::http::testing
