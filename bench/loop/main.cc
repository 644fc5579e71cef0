// loop_bench PORT: serves SET and GET on 127.0.0.1 until SIGTERM or SIGINT, then prints its
// operations and its processor time per operation. For example:
//
//   loop_bench 7999 & redis-benchmark -p 7999 -t set,get -c 50 -n 1000000 -d 1024 -r 20000 -q
//   kill %1

#include <sys/resource.h>

#include <cstdio>

#include "env_real/runtime.h"
#include "resp_server.h"

namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

int main(int count, char** words) {
  using namespace stator;
  if (count != 2) {
    std::fprintf(stderr, "usage: loop_bench PORT\n");
    return 2;
  }
  const auto address = env::parse_address(std::string("127.0.0.1:") + words[1]);
  if (!address) {
    std::fprintf(stderr, "loop_bench: %s\n", address.error().detail.c_str());
    return 2;
  }
  env::Runtime runtime;
  bench::RespServer server;
  auto listener = runtime.shard_env(0).network.listen_streams(*address, server);
  if (!listener) {
    std::fprintf(stderr, "loop_bench: %s\n", listener.error().detail.c_str());
    return 1;
  }
  runtime.on_signal([&runtime](int) { runtime.stop(); });
  runtime.run();

  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double user = seconds_of(usage.ru_utime);
  const double system = seconds_of(usage.ru_stime);
  const auto operations = static_cast<double>(server.operations);
  std::printf("%.0f operations, %.2f us each (%.2f user, %.2f system)\n", operations,
              (user + system) * 1e6 / operations, user * 1e6 / operations,
              system * 1e6 / operations);
  return 0;
}
