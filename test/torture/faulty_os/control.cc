// Takes orders on a socket in the file system, STATOR_FAULTY_CONTROL: a line each, answered by a
// line.
//
//   power SEED     the process ends as by a loss of power; no answer but the end
//   eio N          the next N syncs of files fail; what they were to make durable no later one
//                  does, unless it is written again
//   rate BYTES     what the disk takes per second; 0: as it is
//   full 0|1       no space
//   clock SECONDS  ahead of the true wall time; may be negative
//   syncs          how many there were
//   waited         for how many milliseconds syncs waited for a slow disk

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "faults.h"
#include "real_calls.h"

namespace stator::faulty {
namespace {

std::string obey(const std::string& line) {
  Faults& faults = Faults::get();
  char name[16] = {};
  long long number = 0;
  const int words = std::sscanf(line.c_str(), "%15s %lld", name, &number);
  const std::string order = name;
  if (order == "syncs" && words == 1) return std::to_string(faults.syncs());
  if (order == "waited" && words == 1) return std::to_string(faults.waited_ms());
  if (words != 2) return "no such order: " + line;
  if (order == "power") faults.lose_power(static_cast<std::uint64_t>(number));
  if (order == "eio") {
    faults.fail_syncs(number);
  } else if (order == "rate") {
    faults.set_rate(number);
  } else if (order == "full") {
    faults.set_full(number != 0);
  } else if (order == "clock") {
    faults.set_clock(number);
  } else {
    return "no such order: " + line;
  }
  return "ok";
}

void serve(int connection) {
  std::string input;
  char bytes[256];
  for (;;) {
    const ssize_t got = ::recv(connection, bytes, sizeof bytes, 0);
    if (got <= 0) break;
    input.append(bytes, static_cast<std::size_t>(got));
    for (std::size_t end = input.find('\n'); end != std::string::npos; end = input.find('\n')) {
      const std::string answer = obey(input.substr(0, end)) + "\n";
      input.erase(0, end + 1);
      static_cast<void>(::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL));
    }
  }
  real().close(connection);
}

void listen_at(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  real().unlink(path);
  const int door = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (door < 0 || ::bind(door, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(door, 4) != 0) {
    std::fprintf(stderr, "faulty_os: %s: %s\n", path, std::strerror(errno));
    std::abort();
  }
  // Signals are the program's: none may be handled here.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([door] {
    for (;;) {
      const int connection = ::accept4(door, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection >= 0) serve(connection);
    }
  }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

__attribute__((constructor)) void start() {
  Faults::get().begin();
  if (const char* path = std::getenv("STATOR_FAULTY_CONTROL")) listen_at(path);
}

}  // namespace
}  // namespace stator::faulty
