#include <signal.h>
#include <sys/signalfd.h>

#include <cstdio>
#include <string_view>
#include <utility>

#include "limit/node.h"
#include "limit/options.h"

namespace {

using stator::Error;

int fail(const Error& error, int code) {
  std::fprintf(stderr, "limit: %s\n", error.detail.c_str());
  return code;
}

// SIGTERM and SIGINT as an event of the loop; blocked before any thread exists, so in all of them.
stator::limit::Descriptor take_signals() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  sigprocmask(SIG_BLOCK, &stop, nullptr);
  return stator::limit::Descriptor(signalfd(-1, &stop, SFD_CLOEXEC));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace stator::limit;
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    std::fputs(kUsage, stdout);
    return 0;
  }
  auto options = parse_options(argc, argv);
  if (!options) {
    fail(options.error(), 2);
    std::fputs(kUsage, stderr);
    return 2;
  }
  Descriptor signals = take_signals();
  Counters counters;
  auto log = AppendLog::open(options->log_path, options->durability, counters);
  if (!log) return fail(log.error(), 1);
  auto peers = connect_mesh(*options);
  if (!peers) return fail(peers.error(), 1);
  auto listener = listen_on(options->clients);
  if (!listener) return fail(listener.error(), 1);

  Node node(*options, counters, std::move(*log), std::move(*peers), std::move(*listener),
            std::move(signals));
  std::puts("ready");
  std::fflush(stdout);
  if (!node.run()) {
    std::fputs("limit: a peer has gone, and a bare quorum does not outlive it\n", stderr);
    return 1;
  }
  return 0;
}
