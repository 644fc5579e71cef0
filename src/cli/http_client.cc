#include "cli/http_client.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <optional>

#include "cli/socket.h"

namespace stator::cli {

namespace {

constexpr std::size_t kHeadMax = 64 << 10;
constexpr std::size_t kBodyMax = 1ULL << 30;

std::unexpected<Error> no_http(const char* why) {
  return std::unexpected(
      Error{.code = ErrorCode::kCorrupt, .detail = std::string("the answer is no HTTP: ") + why});
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string request_text(const env::Address& node, const HttpRequest& request) {
  std::string text = request.method + " " + request.target + " HTTP/1.1\r\n";
  text += "Host: " + env::to_string(node) + "\r\nConnection: close\r\n";
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
  if (!request.body.empty() || request.method == "PUT") {
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return text + "\r\n" + request.body;
}

/// What has come and has not been used; asks the socket for more.
class Input {
 public:
  explicit Input(Socket& socket) : socket_(socket) {}

  /// Up to and including the next line end; without it in the result.
  Result<std::string> line() {
    std::size_t from = 0;
    for (;;) {
      const std::size_t end = bytes_.find("\r\n", from);
      if (end != std::string::npos) {
        std::string taken = bytes_.substr(0, end);
        bytes_.erase(0, end + 2);
        return taken;
      }
      if (bytes_.size() > kHeadMax) return no_http("a line without an end");
      from = bytes_.empty() ? 0 : bytes_.size() - 1;
      const auto more = socket_.receive(bytes_);
      if (!more) return std::unexpected(more.error());
      if (*more == 0) return no_http("it ends early");
    }
  }
  Result<std::string> take(std::size_t size) {
    if (size > kBodyMax) return no_http("it is too large");
    while (bytes_.size() < size) {
      const auto more = socket_.receive(bytes_);
      if (!more) return std::unexpected(more.error());
      if (*more == 0) return no_http("it ends early");
    }
    std::string taken = bytes_.substr(0, size);
    bytes_.erase(0, size);
    return taken;
  }
  Result<std::string> rest() {
    for (;;) {
      const auto more = socket_.receive(bytes_);
      if (!more) return std::unexpected(more.error());
      if (*more == 0) return std::move(bytes_);
      if (bytes_.size() > kBodyMax) return no_http("it is too large");
    }
  }

 private:
  Socket& socket_;
  std::string bytes_;
};

std::optional<std::uint64_t> number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

Result<HttpAnswer> read_head(Input& input) {
  HttpAnswer answer;
  const auto status = input.line();
  if (!status && status.error().code != ErrorCode::kCorrupt) return std::unexpected(status.error());
  if (!status || !status->starts_with("HTTP/1.") || status->size() < 12) {
    return no_http("this may be the node's Redis or peer port");
  }
  const auto code = number(std::string_view(*status).substr(9, 3), 10);
  if (!code) return no_http("no status");
  answer.status = static_cast<int>(*code);
  for (;;) {
    const auto line = input.line();
    if (!line) return std::unexpected(line.error());
    if (line->empty()) return answer;
    const std::size_t colon = line->find(':');
    if (colon == std::string::npos) return no_http("a header without a colon");
    const std::size_t begin = line->find_first_not_of(' ', colon + 1);
    answer.headers.emplace_back(lower(line->substr(0, colon)),
                                begin == std::string::npos ? "" : line->substr(begin));
  }
}

Result<std::string> read_chunks(Input& input) {
  std::string body;
  for (;;) {
    const auto line = input.line();
    if (!line) return std::unexpected(line.error());
    const auto size = number(*line, 16);
    if (!size || *size > kBodyMax - body.size()) return no_http("a bad chunk");
    if (*size == 0) return body;  // trailers are of no interest, and the connection ends
    auto chunk = input.take(*size);
    if (!chunk) return chunk;
    body += *chunk;
    if (auto end = input.line(); !end || !end->empty()) return no_http("a bad chunk");
  }
}

Result<std::string> read_body(Input& input, const HttpAnswer& answer, const std::string& method) {
  if (method == "HEAD" || answer.status == 204 || answer.status == 304) return std::string();
  if (lower(answer.header("transfer-encoding")) == "chunked") return read_chunks(input);
  const std::string_view length = answer.header("content-length");
  if (length.empty()) return input.rest();
  const auto size = number(length, 10);
  if (!size) return no_http("a bad length");
  return input.take(*size);
}

}  // namespace

std::string_view HttpAnswer::header(std::string_view lower_case_name) const {
  const auto at = std::find_if(headers.begin(), headers.end(),
                               [&](const auto& one) { return one.first == lower_case_name; });
  return at == headers.end() ? std::string_view() : at->second;
}

Result<HttpAnswer> http_ask(const env::Address& node, const HttpRequest& request,
                            Duration timeout) {
  auto socket = Socket::connect(node, timeout);
  if (!socket) return std::unexpected(socket.error());
  if (auto sent = socket->send(request_text(node, request)); !sent) {
    // A server that refuses early may answer before it has taken everything.
    if (sent.error().code == ErrorCode::kTimeout) return std::unexpected(sent.error());
  }
  Input input(*socket);
  for (;;) {
    auto answer = read_head(input);
    if (!answer) return answer;
    if (answer->status / 100 == 1) continue;  // 100 Continue and its like come before the answer
    auto body = read_body(input, *answer, request.method);
    if (!body) return std::unexpected(body.error());
    answer->body = std::move(*body);
    return answer;
  }
}

std::string percent_encoded(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

}  // namespace stator::cli
