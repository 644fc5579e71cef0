#include "resp_server.h"

#include <charconv>
#include <string_view>
#include <utility>

namespace stator::bench {

namespace {

// The number behind `mark` up to CRLF; -1 when cut.
long read_number(std::string_view& bytes, char mark) {
  const std::size_t end = bytes.find('\r');
  if (end == std::string_view::npos || end + 2 > bytes.size() || bytes[0] != mark) return -1;
  long number = -1;
  std::from_chars(bytes.data() + 1, bytes.data() + end, number);
  bytes.remove_prefix(end + 2);
  return number;
}

class RespHandler final : public env::StreamHandler {
 public:
  RespHandler(RespServer& server, env::Stream& stream) : server_(server), stream_(stream) {}

  std::size_t on_data(std::string_view bytes) override {
    std::string& out = stream_.output();
    const std::string_view all = bytes;
    std::string_view words[3];
    for (std::string_view rest = bytes; !rest.empty(); bytes = rest) {
      const long count = read_number(rest, '*');
      if (count < 1 || count > 3) break;
      long read = 0;
      for (; read < count; ++read) {
        const long size = rest.empty() ? -1 : read_number(rest, '$');
        if (size < 0 || rest.size() < static_cast<std::size_t>(size) + 2) break;
        words[read] = rest.substr(0, static_cast<std::size_t>(size));
        rest.remove_prefix(static_cast<std::size_t>(size) + 2);
      }
      if (read < count) break;
      answer(words, count, out);
    }
    return all.size() - bytes.size();
  }
  void on_closed() override {}

 private:
  void answer(std::string_view* words, long count, std::string& out) {
    ++server_.operations;
    key_.assign(words[count > 1 ? 1 : 0]);
    if (words[0] == "SET" && count == 3) {
      server_.values[key_].assign(words[2]);
      out.append("+OK\r\n");
    } else if (words[0] == "GET" && count == 2) {
      const auto found = server_.values.find(key_);
      if (found == server_.values.end()) {
        out.append("$-1\r\n");
        return;
      }
      char size[24] = "$";
      const auto end = std::to_chars(size + 1, size + sizeof size, found->second.size()).ptr;
      out.append(size, end).append("\r\n").append(found->second).append("\r\n");
    } else {
      out.append("*0\r\n");
    }
  }

  RespServer& server_;
  env::Stream& stream_;
  std::string key_;
};

}  // namespace

std::unique_ptr<env::StreamHandler> RespServer::on_accept(env::Stream& stream) {
  return std::make_unique<RespHandler>(*this, stream);
}

}  // namespace stator::bench
