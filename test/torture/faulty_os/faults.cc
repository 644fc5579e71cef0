#include "faults.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "real_calls.h"

namespace stator::faulty {
namespace {

// A disk writes whole pages, and nothing for nothing.
constexpr std::int64_t kLeastPerSync = 4096;
constexpr std::int64_t kSecond = 1'000'000'000;  // in nanoseconds, as the step
constexpr std::int64_t kStep = 10'000'000;

int fail(int error) {
  errno = error;
  return -1;
}

bool exists(const char* path) {
  struct stat facts{};
  return ::lstat(path, &facts) == 0;
}

}  // namespace

Faults& Faults::get() {
  // Never ended: threads may write until the very end.
  static Faults* const faults = [] {
    const char* root = std::getenv("STATOR_FAULTY_ROOT");
    return new Faults(root != nullptr ? root : "");
  }();
  return *faults;
}

Faults::Faults(std::string root) : root_(std::move(root)), names_(root_ + ".attic") {}

// What an earlier process kept was durable as it ended.
void Faults::begin() const {
  std::error_code ignored;
  if (!root_.empty()) std::filesystem::remove_all(root_ + ".attic", ignored);
}

bool Faults::inside(const std::string& path) const {
  return !root_.empty() && (path == root_ || path.starts_with(root_ + "/"));
}

Faults::File* Faults::file_of(int fd) {
  const auto found = open_.find(fd);
  return found == open_.end() ? nullptr : found->second;
}

// --- names ---------------------------------------------------------------------------------------

int Faults::open(const char* path, int flags, mode_t mode) {
  if (!inside(path)) return real().open(path, flags, mode);
  const std::scoped_lock lock(mutex_);
  const bool made = (flags & O_CREAT) != 0 && !exists(path);
  if (made && full_) return fail(ENOSPC);
  const int fd = real().open(path, flags & ~O_TRUNC, mode);
  if (fd < 0) return fd;
  opened(fd, path, made);
  if ((flags & O_TRUNC) != 0) {
    if (File* file = file_of(fd)) file->shadow.before_truncate(file->fd, 0);
    static_cast<void>(real().ftruncate(fd, 0));
  }
  return fd;
}

void Faults::opened(int fd, const std::string& path, bool made) {
  struct stat facts{};
  if (::fstat(fd, &facts) != 0) return;
  if (made) names_.made(path);
  if (S_ISDIR(facts.st_mode)) directories_[fd] = path;
  if (!S_ISREG(facts.st_mode) || (::fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY) return;
  std::unique_ptr<File>& file = files_[facts.st_ino];
  if (file == nullptr) {
    file = std::make_unique<File>();
    const std::string own = "/proc/self/fd/" + std::to_string(fd);
    file->fd = real().open(own.c_str(), O_RDWR | O_CLOEXEC);
  }
  open_[fd] = file.get();
}

int Faults::close(int fd) {
  {
    const std::scoped_lock lock(mutex_);
    open_.erase(fd);
    directories_.erase(fd);
  }
  return real().close(fd);
}

int Faults::rename(const char* from, const char* to) {
  if (!inside(to)) return real().rename(from, to);
  const std::scoped_lock lock(mutex_);
  std::string kept = names_.keep(to);
  const int result = real().rename(from, to);
  if (result == 0) names_.renamed(from, to, std::move(kept));
  return result;
}

int Faults::remove(const char* path, int (*call)(const char*)) {
  if (!inside(path)) return call(path);
  const std::scoped_lock lock(mutex_);
  std::string kept = names_.keep(path);
  const int result = call(path);
  if (result == 0) names_.removed(path, std::move(kept));
  return result;
}

int Faults::mkdir(const char* path, mode_t mode) {
  if (!inside(path)) return real().mkdir(path, mode);
  const std::scoped_lock lock(mutex_);
  const int result = real().mkdir(path, mode);
  if (result == 0) names_.made(path);
  return result;
}

// --- contents ------------------------------------------------------------------------------------

ssize_t Faults::write(int fd, const void* bytes, std::size_t size) {
  std::unique_lock lock(mutex_);
  File* file = file_of(fd);
  if (file == nullptr) {
    lock.unlock();
    return real().write(fd, bytes, size);
  }
  if (full_) return fail(ENOSPC);
  struct stat facts{};
  const bool appends = (::fcntl(fd, F_GETFL) & O_APPEND) != 0 && ::fstat(fd, &facts) == 0;
  file->shadow.before_write(file->fd, appends ? facts.st_size : ::lseek(fd, 0, SEEK_CUR), size);
  unsynced_bytes_ += static_cast<std::int64_t>(size);
  return real().write(fd, bytes, size);
}

ssize_t Faults::pwrite(int fd, const void* bytes, std::size_t size, off_t offset) {
  std::unique_lock lock(mutex_);
  File* file = file_of(fd);
  if (file == nullptr) {
    lock.unlock();
    return real().pwrite(fd, bytes, size, offset);
  }
  if (full_) return fail(ENOSPC);
  file->shadow.before_write(file->fd, offset, size);
  unsynced_bytes_ += static_cast<std::int64_t>(size);
  return real().pwrite(fd, bytes, size, offset);
}

int Faults::ftruncate(int fd, off_t size) {
  const std::scoped_lock lock(mutex_);
  if (File* file = file_of(fd)) file->shadow.before_truncate(file->fd, size);
  return real().ftruncate(fd, size);
}

int Faults::allocate(int fd, off_t offset, off_t size) {
  const std::scoped_lock lock(mutex_);
  File* file = file_of(fd);
  if (file != nullptr && full_) return ENOSPC;
  if (file != nullptr) file->shadow.before_write(file->fd, offset, 0);
  return real().posix_fallocate(fd, offset, size);
}

// --- syncs ---------------------------------------------------------------------------------------

// In small steps, so that what it waited is known while it waits, and a disk that is well again
// ends it.
void Faults::wait_for_disk() {
  std::int64_t left = unsynced_bytes_.exchange(0) + kLeastPerSync;
  if (rate_ <= 0) return;
  const std::scoped_lock lock(disk_);
  for (std::int64_t rate = rate_; rate > 0 && left > 0; rate = rate_) {
    const std::int64_t ns = std::min(left * kSecond / rate + 1, kStep);
    const timespec time{0, static_cast<long>(ns)};
    static_cast<void>(::nanosleep(&time, nullptr));
    waited_ns_ += ns;
    left -= ns * rate / kSecond + 1;
  }
}

int Faults::sync(int fd, int (*call)(int)) {
  std::string directory;
  bool known = true;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = directories_.find(fd); found != directories_.end()) {
      directory = found->second;
    } else {
      known = file_of(fd) != nullptr;
    }
  }
  if (!known) return call(fd);
  ++syncs_;
  return directory.empty() ? sync_file(fd, call) : sync_directory(fd, directory, call);
}

// What is written while the disk works is not synced by it.
int Faults::sync_file(int fd, int (*call)(int)) {
  FileShadow before;
  {
    const std::scoped_lock lock(mutex_);
    File* file = file_of(fd);
    if (failing_syncs_ > 0) {
      --failing_syncs_;
      if (file != nullptr) file->shadow.lose(file->fd);
      return fail(EIO);
    }
    if (file != nullptr) before = file->shadow.begin_sync(file->fd);
  }
  wait_for_disk();
  const int result = call(fd);
  const std::scoped_lock lock(mutex_);
  File* file = file_of(fd);
  if (result != 0 && file != nullptr) file->shadow = std::move(before);
  return result;
}

int Faults::sync_directory(int fd, const std::string& path, int (*call)(int)) {
  const int result = call(fd);
  const std::scoped_lock lock(mutex_);
  if (result == 0) names_.synced(path);
  return result;
}

// --- the end -------------------------------------------------------------------------------------

void Faults::lose_power(std::uint64_t seed) {
  mutex_.lock();  // for ever: nothing is written or acknowledged from here on
  std::mt19937_64 random(seed);
  for (const auto& [inode, file] : files_) file->shadow.lose_power(file->fd, random);
  names_.lose_power(random);
  ::kill(::getpid(), SIGKILL);
  std::abort();
}

}  // namespace stator::faulty
