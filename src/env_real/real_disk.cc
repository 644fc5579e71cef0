#include "env_real/real_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <utility>

#include "env_real/real_file.h"
#include "env_real/system_error.h"

namespace stator::env {

namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kDirectoryMode = 0750;

std::unexpected<Error> failed(const std::string& what, int error_number) {
  return std::unexpected(system_error(what, error_number));
}

// The lock ends with the descriptor, however the process ends.
class FileLock final : public DirectoryLock {
 public:
  explicit FileLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  const Descriptor descriptor_;
};

constexpr const char* kLockFile = "/LOCK";

// The number that whoever locked the file has written there; 0: none.
pid_t number_in(int lock_file) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(lock_file, text.data(), text.size(), 0);
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + std::max<ssize_t>(size, 0), pid);
  return std::max(pid, 0);
}

std::string holder_of(int lock_file) {
  const pid_t pid = number_in(lock_file);
  return pid == 0 ? "another process" : "process " + std::to_string(pid);
}

}  // namespace

Result<std::unique_ptr<File>> RealDisk::open(const std::string& path, Open mode) {
  int flags = O_RDWR | O_CLOEXEC;
  if (mode != Open::kExisting) flags |= O_CREAT;
  if (mode == Open::kCreateNew) flags |= O_EXCL;
  Descriptor descriptor(::open(path.c_str(), flags, kFileMode));
  if (!descriptor) {
    const int number = errno;
    Error error = system_error("cannot open " + path, number);
    if (number == EEXIST) error.code = ErrorCode::kConflict;
    return std::unexpected(std::move(error));
  }
  return std::make_unique<RealFile>(loop_, std::move(descriptor), path);
}

Result<bool> RealDisk::exists(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0) return true;
  if (errno == ENOENT) return false;
  return failed("cannot look at " + path, errno);
}

Result<void> RealDisk::create_directories(const std::string& path) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), kDirectoryMode) == 0) continue;
    const int number = errno;
    struct stat info{};
    const bool there = ::stat(part.c_str(), &info) == 0;
    if (there && S_ISDIR(info.st_mode)) continue;
    if (there) {
      return std::unexpected(
          Error{.code = ErrorCode::kIo, .detail = part + " is there, and is no directory"});
    }
    return failed("cannot create the directory " + part, number);
  }
  return {};
}

Result<std::vector<std::string>> RealDisk::list(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  if (directory == nullptr) return failed("cannot list " + path, errno);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return failed("cannot list " + path, errno);
  std::sort(names.begin(), names.end());
  return names;
}

Result<void> RealDisk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  return failed("cannot rename " + from + " to " + to, errno);
}

Result<void> RealDisk::remove(const std::string& path) {
  if (std::remove(path.c_str()) == 0) return {};
  return failed("cannot remove " + path, errno);
}

Result<void> RealDisk::sync_directory(const std::string& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return failed("cannot open the directory " + path, errno);
  if (::fsync(directory.get()) == 0) return {};
  return failed("cannot sync the directory " + path, errno);
}

Result<std::unique_ptr<DirectoryLock>> RealDisk::lock(const std::string& directory) {
  const std::string path = directory + kLockFile;
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode));
  if (!file) return failed("cannot open " + path, errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failed("cannot lock " + path, errno);
    return std::unexpected(
        Error{.code = ErrorCode::kConflict,
              .detail = "the directory " + directory + " is in use by " + holder_of(file.get())});
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  // Only for people, so a failure to write it is no reason not to start.
  if (::ftruncate(file.get(), 0) == 0) {
    static_cast<void>(::pwrite(file.get(), pid.data(), pid.size(), 0) == 0);
  }
  return std::make_unique<FileLock>(std::move(file));
}

Result<std::uint64_t> RealDisk::free_bytes(const std::string& path) {
  struct statvfs info{};
  if (::statvfs(path.c_str(), &info) != 0)
    return failed("cannot ask for the space of " + path, errno);
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

pid_t lock_holder(const std::string& directory) {
  const Descriptor file(::open((directory + kLockFile).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return 0;
  // The number outlives its process, the lock does not.
  const bool held = ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  return held ? number_in(file.get()) : 0;
}

}  // namespace stator::env
