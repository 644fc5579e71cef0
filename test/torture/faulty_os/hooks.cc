// The calls of the system that a program under test gets instead of the real ones, when this
// library is loaded before it (LD_PRELOAD). Nothing else is exported.

#include <sys/time.h>

#include <cerrno>
#include <cstdarg>

#include "faults.h"
#include "real_calls.h"

using stator::faulty::Faults;
using stator::faulty::real;

#define STATOR_HOOK extern "C" __attribute__((visibility("default")))

STATOR_HOOK int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
    std::va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  return Faults::get().open(path, flags, mode);
}
STATOR_HOOK int close(int fd) {
  return Faults::get().close(fd);
}
STATOR_HOOK ssize_t write(int fd, const void* bytes, size_t size) {
  return Faults::get().write(fd, bytes, size);
}
STATOR_HOOK ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  return Faults::get().pwrite(fd, bytes, size, offset);
}
STATOR_HOOK int ftruncate(int fd, off_t size) noexcept {
  return Faults::get().ftruncate(fd, size);
}
// Only what changes no size is left as it is: it changes nothing that can be seen.
STATOR_HOOK int fallocate(int fd, int mode, off_t offset, off_t size) {
  if (mode != 0) return real().fallocate(fd, mode, offset, size);
  errno = Faults::get().allocate(fd, offset, size);
  return errno == 0 ? 0 : -1;
}
STATOR_HOOK int posix_fallocate(int fd, off_t offset, off_t size) {
  return Faults::get().allocate(fd, offset, size);
}
STATOR_HOOK int fsync(int fd) {
  return Faults::get().sync(fd, real().fsync);
}
STATOR_HOOK int fdatasync(int fd) {
  return Faults::get().sync(fd, real().fdatasync);
}
STATOR_HOOK int rename(const char* from, const char* to) noexcept {
  return Faults::get().rename(from, to);
}
STATOR_HOOK int unlink(const char* path) noexcept {
  return Faults::get().remove(path, real().unlink);
}
STATOR_HOOK int remove(const char* path) noexcept {
  return Faults::get().remove(path, real().remove);
}
STATOR_HOOK int mkdir(const char* path, mode_t mode) noexcept {
  return Faults::get().mkdir(path, mode);
}

STATOR_HOOK int clock_gettime(clockid_t clock, timespec* out) noexcept {
  const int result = real().clock_gettime(clock, out);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    out->tv_sec += Faults::get().clock_s();
  }
  return result;
}
STATOR_HOOK int gettimeofday(timeval* out, void* zone) noexcept {
  const int result = real().gettimeofday(out, zone);
  if (result == 0) out->tv_sec += Faults::get().clock_s();
  return result;
}
STATOR_HOOK time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

// The same under the names that programs with large files were compiled against.
STATOR_HOOK int open64(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
    std::va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  return Faults::get().open(path, flags, mode);
}
STATOR_HOOK ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  return Faults::get().pwrite(fd, bytes, size, offset);
}
STATOR_HOOK int ftruncate64(int fd, off64_t size) noexcept {
  return Faults::get().ftruncate(fd, size);
}
STATOR_HOOK int posix_fallocate64(int fd, off64_t offset, off64_t size) {
  return Faults::get().allocate(fd, offset, size);
}
