#include "base/assert.h"

#include <execinfo.h>

#include <cstdio>
#include <cstdlib>

namespace stator {

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "assertion failed: %s at %s:%d\n", condition, file, line);
  void* frames[64];
  const int depth = backtrace(frames, 64);
  backtrace_symbols_fd(frames, depth, 2);
  std::abort();
}

}  // namespace stator
