#include "limit/counters.h"

#include <sys/resource.h>

#include <string_view>

namespace stator::limit {

namespace {

std::uint64_t microseconds_of(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(time.tv_usec);
}

}  // namespace

std::string describe(const Counters& counters) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::string text;
  const auto line = [&text](std::string_view name, std::uint64_t value) {
    text.append(name).append(":").append(std::to_string(value)).append("\r\n");
  };
  line("ops", counters.sets + counters.gets);
  line("sets", counters.sets);
  line("gets", counters.gets);
  line("replica_puts", counters.replica_puts);
  line("replica_gets", counters.replica_gets);
  line("digest_misses", counters.digest_misses);
  line("user_us", microseconds_of(usage.ru_utime));
  line("system_us", microseconds_of(usage.ru_stime));
  line("allocations", allocation_count());
  line("turns", counters.turns);
  const std::uint64_t log_calls = counters.log_calls.load(std::memory_order_relaxed);
  line("syscalls", counters.wait_calls + counters.receive_calls + counters.send_calls +
                       counters.other_calls + log_calls);
  line("wait_calls", counters.wait_calls);
  line("receive_calls", counters.receive_calls);
  line("send_calls", counters.send_calls);
  line("log_calls", log_calls);
  return text;
}

}  // namespace stator::limit
