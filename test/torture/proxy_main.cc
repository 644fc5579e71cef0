// stator_proxy CONTROL_PORT NODE=LISTEN_PORT:TARGET_PORT ... : the proxy between nodes, on
// loopback, told by lines on its control port what to spoil (proxy.h). Ends when that connection
// ends.

#include <charconv>
#include <cstdio>
#include <optional>
#include <span>
#include <string_view>

#include "control_port.h"
#include "env_real/runtime.h"
#include "proxy.h"

namespace stator::torture {
namespace {

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<Proxy::Route> route_of(std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::size_t colon = text.find(':');
  if (equals == std::string_view::npos || colon == std::string_view::npos || colon < equals) {
    return std::nullopt;
  }
  const auto listen = port_of(text.substr(equals + 1, colon - equals - 1));
  const auto target = port_of(text.substr(colon + 1));
  if (!listen || !target) return std::nullopt;
  return Proxy::Route{
      std::string(text.substr(0, equals)), {"127.0.0.1", *listen}, {"127.0.0.1", *target}};
}

int fail(const std::string& why) {
  std::fprintf(stderr, "stator_proxy: %s\n", why.c_str());
  return 1;
}

int run(std::span<char* const> arguments) {
  std::vector<Proxy::Route> routes;
  const auto control_port = arguments.empty() ? std::nullopt : port_of(arguments[0]);
  if (!control_port) return fail("the first argument is a port");
  for (const std::string_view text : arguments.subspan(1)) {
    const auto route = route_of(text);
    if (!route) return fail("no NODE=LISTEN_PORT:TARGET_PORT: " + std::string(text));
    routes.push_back(*route);
  }
  env::Runtime runtime(1);
  env::Env& env = runtime.shard_env(0);
  Proxy proxy(env);
  if (auto opened = proxy.open(routes); !opened) return fail(opened.error().detail);
  ControlPort control([&proxy](std::string_view line,
                               const ControlPort::Answer& answer) { answer(proxy.order(line)); },
                      [&runtime] { runtime.stop(); });
  if (auto opened = control.open(env.network, {"127.0.0.1", *control_port}); !opened) {
    return fail(opened.error().detail);
  }
  std::puts("ready");
  std::fflush(stdout);
  runtime.run();
  return 0;
}

}  // namespace
}  // namespace stator::torture

int main(int count, char** arguments) {
  return stator::torture::run(std::span(arguments, static_cast<std::size_t>(count)).subspan(1));
}
