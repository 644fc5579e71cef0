#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "front/http/http_front.h"
#include "front/http/testing/answers.h"
#include "front/http/testing/fakes.h"

namespace stator::http::testing {

/// A front over a fake store, and one client of it.
struct World {
  explicit World(HttpFrontOptions given = {}) : front(store, executor, with_names(given)) {
    connect();
  }

  static HttpFrontOptions with_names(HttpFrontOptions options) {
    if (options.host_names.empty()) options.host_names = {"kv.example", "n1"};
    return options;
  }
  void connect() { client = std::make_unique<FakeStream>(front, executor); }

  /// Sends bytes and reads all answers that come at once.
  std::vector<Answer> talk(std::string_view bytes, bool heads = false) {
    client->send(bytes);
    executor.run_posted();
    return parse_answers(client->receive(), heads);
  }
  /// One request, with a Host header, and its one answer; status 0 when it is not exactly one.
  Answer ask(std::string_view method, std::string_view target, std::string_view headers = {},
             std::string_view body = {}) {
    const std::string request = request_text(method, target, headers, body);
    const auto answers = talk(request, method == "HEAD");
    return answers.size() == 1 ? answers[0] : Answer{};
  }
  /// `headers`: whole lines with CRLF.
  static std::string request_text(std::string_view method, std::string_view target,
                                  std::string_view headers = {}, std::string_view body = {}) {
    std::string text;
    text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
    text.append(headers);
    if (!body.empty() || method == "PUT")
      text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    text.append("\r\n").append(body);
    return text;
  }

  FakeExecutor executor;
  FakeStore store;
  HttpFront front;
  std::unique_ptr<FakeStream> client;
};

}  // namespace stator::http::testing
