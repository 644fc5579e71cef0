#pragma once

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#include <ctime>

namespace stator::faulty {

/// The system's own calls, behind those that this library puts in their place.
struct RealCalls {
  template <typename Function>
  static Function find(const char* name) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
  }

  int (*open)(const char*, int, ...) = find<int (*)(const char*, int, ...)>("open");
  int (*close)(int) = find<int (*)(int)>("close");
  ssize_t (*write)(int, const void*, size_t) = find<ssize_t (*)(int, const void*, size_t)>("write");
  ssize_t (*pwrite)(int, const void*, size_t,
                    off_t) = find<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  int (*ftruncate)(int, off_t) = find<int (*)(int, off_t)>("ftruncate");
  int (*fallocate)(int, int, off_t, off_t) = find<int (*)(int, int, off_t, off_t)>("fallocate");
  int (*posix_fallocate)(int, off_t, off_t) = find<int (*)(int, off_t, off_t)>("posix_fallocate");
  int (*fsync)(int) = find<int (*)(int)>("fsync");
  int (*fdatasync)(int) = find<int (*)(int)>("fdatasync");
  int (*rename)(const char*, const char*) = find<int (*)(const char*, const char*)>("rename");
  int (*unlink)(const char*) = find<int (*)(const char*)>("unlink");
  int (*remove)(const char*) = find<int (*)(const char*)>("remove");
  int (*mkdir)(const char*, mode_t) = find<int (*)(const char*, mode_t)>("mkdir");
  int (*clock_gettime)(clockid_t, timespec*) = find<int (*)(clockid_t, timespec*)>("clock_gettime");
  int (*gettimeofday)(timeval*, void*) = find<int (*)(timeval*, void*)>("gettimeofday");
};
inline const RealCalls& real() {
  static const RealCalls calls;
  return calls;
}

}  // namespace stator::faulty
