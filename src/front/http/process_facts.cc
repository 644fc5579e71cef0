#include "front/http/process_facts.h"

#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace stator::http {
namespace {

// "VmRSS:     1234 kB"
std::int64_t resident_bytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    std::int64_t kib = 0;
    if (word == "VmRSS:" && status >> kib) return kib * 1024;
  }
  return -1;
}

std::int64_t cpu_us() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return -1;
  const auto us = [](const timeval& time) {
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_usec;
  };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

std::int64_t open_fds() {
  std::error_code error;
  std::filesystem::directory_iterator entries("/proc/self/fd", error);
  if (error) return -1;
  std::int64_t count = 0;
  for (const auto end = std::filesystem::directory_iterator(); entries != end && !error;
       entries.increment(error))
    ++count;
  return error ? -1 : count - 1;  // without the one that lists
}

}  // namespace

ProcessFacts read_process_facts() {
  return {.resident_bytes = resident_bytes(), .cpu_us = cpu_us(), .open_fds = open_fds()};
}

}  // namespace stator::http
