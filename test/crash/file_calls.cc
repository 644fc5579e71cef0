#include "file_calls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace stator::crash {
namespace {

std::atomic<FileCalls*> watcher = nullptr;

}  // namespace

FileCalls* FileCalls::watching() {
  return watcher.load();
}

FileCalls::FileCalls(std::string folder) : folder_(std::move(folder) + "/") {
  FileCalls* nobody = nullptr;
  STATOR_ASSERT(watcher.compare_exchange_strong(nobody, this));
}

FileCalls::~FileCalls() {
  watcher.store(nullptr);
}

void FileCalls::decide(Decide decide) {
  const std::lock_guard lock(mutex_);
  decide_ = std::move(decide);
}

void FileCalls::record(bool on) {
  const std::lock_guard lock(mutex_);
  recording_ = on;
}

void FileCalls::mark(const std::string& what, std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  add({.kind = Event::Kind::kMark, .path = what, .number = number});
}

std::vector<Event> FileCalls::events() {
  const std::lock_guard lock(mutex_);
  return events_;
}

bool FileCalls::covers(const char* path) const {
  const std::string_view text(path);
  return text.starts_with(folder_) ||
         text == std::string_view(folder_).substr(0, folder_.size() - 1);
}

std::string FileCalls::relative(const char* path) const {
  const std::string_view text(path);
  std::string name;
  if (text.size() < folder_.size()) return name;
  for (const char c : text.substr(folder_.size())) {
    if (c != '/' || (!name.empty() && name.back() != '/')) name += c;
  }
  if (name.ends_with('/')) name.pop_back();
  return name;
}

FileCalls::OpenFile* FileCalls::find(int descriptor) {
  const auto found = open_.find(descriptor);
  return found == open_.end() ? nullptr : &found->second;
}

void FileCalls::opened(int descriptor, const std::string& path, int flags, bool folder) {
  OpenFile& file = open_[descriptor];
  file = {.path = path, .append = (flags & O_APPEND) != 0, .folder = folder};
  if (folder) return;
  const auto known = names_.find(path);
  if (known == names_.end()) {
    file.file = ++files_;
    names_[path] = file.file;
    add({.kind = Event::Kind::kCreate, .file = file.file, .path = path});
    return;
  }
  file.file = known->second;
  if ((flags & O_TRUNC) != 0) resized(file, 0);
}

void FileCalls::wrote(OpenFile& file, std::uint64_t offset, const char* bytes, std::size_t size) {
  if (!recording_) return;
  add({.kind = Event::Kind::kWrite,
       .file = file.file,
       .path = file.path,
       .number = offset,
       .bytes = std::string(bytes, size)});
  sizes_[file.file] = std::max(sizes_[file.file], offset + size);
}

void FileCalls::resized(const OpenFile& file, std::uint64_t size) {
  if (!recording_ || sizes_[file.file] == size) return;
  sizes_[file.file] = size;
  add({.kind = Event::Kind::kResize, .file = file.file, .path = file.path, .number = size});
}

void FileCalls::synced(const OpenFile& file) {
  add({.kind = file.folder ? Event::Kind::kSyncFolder : Event::Kind::kSync,
       .file = file.file,
       .path = file.path});
}

void FileCalls::renamed(const std::string& from, const std::string& to) {
  const auto known = names_.find(from);
  if (known == names_.end()) return;  // made through stdio
  names_[to] = known->second;
  names_.erase(from);
  add({.kind = Event::Kind::kRename, .path = from, .to = to});
}

void FileCalls::removed(const std::string& path) {
  if (names_.erase(path) > 0) add({.kind = Event::Kind::kRemove, .path = path});
}

void FileCalls::made_folder(const std::string& path) {
  add({.kind = Event::Kind::kCreateFolder, .path = path});
}

namespace {

/// The lock and what is known, for calls below the folder; else nothing.
class Entry {
 public:
  explicit Entry(const char* path) : calls_(FileCalls::watching()) {
    if (calls_ != nullptr && !calls_->covers(path)) calls_ = nullptr;
    if (calls_ == nullptr) return;
    lock_ = std::unique_lock(calls_->mutex());
    path_ = calls_->relative(path);
  }
  explicit Entry(int descriptor) : calls_(FileCalls::watching()) {
    if (calls_ == nullptr) return;
    lock_ = std::unique_lock(calls_->mutex());
    file_ = calls_->find(descriptor);
    if (file_ != nullptr) {
      path_ = file_->path;
      return;
    }
    calls_ = nullptr;
    lock_.unlock();
  }
  explicit operator bool() const { return calls_ != nullptr; }
  FileCalls* operator->() const { return calls_; }
  [[nodiscard]] FileCalls::OpenFile& file() const { return *file_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// True when the call is over, with errno set where it failed.
  [[nodiscard]] bool fails(Call call) {
    fault_ = calls_->ask(call, path_);
    if (fault_.error != 0) errno = fault_.error;
    return fault_.error != 0;
  }
  [[nodiscard]] const Fault& fault() const { return fault_; }

 private:
  FileCalls* calls_;
  std::unique_lock<std::mutex> lock_;
  FileCalls::OpenFile* file_ = nullptr;
  std::string path_;
  Fault fault_;
};

/// Where a call goes that misses its place: the stretch of the same length in front, or behind.
off_t beside(off_t offset, std::size_t size) {
  const auto length = static_cast<off_t>(size);
  return offset >= length ? offset - length : offset + length;
}

/// Of a read that has happened.
void spoil(const Fault& fault, int descriptor, void* bytes, ssize_t got, off_t offset) {
  if (got <= 0) return;
  const auto size = static_cast<std::size_t>(got);
  if (fault.flip) static_cast<char*>(bytes)[size / 2] ^= 0x10;
  if (fault.zero) std::memset(bytes, 0, size);
  if (fault.astray) {
    static_cast<void>(::syscall(SYS_pread64, descriptor, bytes, size, beside(offset, size)));
  }
}

/// A read of so many bytes; `where` it begins is asked only if somebody watches.
template <typename Where, typename Read>
ssize_t read_at(int descriptor, void* bytes, std::size_t size, Where where, Read call) {
  Entry entry(descriptor);
  if (!entry) return call(size);
  if (entry.fails(Call::kRead)) return -1;
  const Fault& fault = entry.fault();
  const off_t offset = where();
  const ssize_t got = call(fault.half && size > 1 ? size / 2 : size);
  spoil(fault, descriptor, bytes, got, offset);
  return got;
}

off_t position_of(int descriptor) {
  return static_cast<off_t>(::syscall(SYS_lseek, descriptor, 0, SEEK_CUR));
}

/// What a write that misses its place leaves: this one moves on as if it had not.
ssize_t write_astray(int descriptor, const void* bytes, std::size_t size, off_t offset,
                     bool moves) {
  const auto written =
      static_cast<ssize_t>(::syscall(SYS_pwrite64, descriptor, bytes, size, beside(offset, size)));
  if (moves && written > 0) ::syscall(SYS_lseek, descriptor, written, SEEK_CUR);
  return written;
}

ssize_t write_at(int descriptor, const void* bytes, std::size_t size, off_t offset, bool moves) {
  const auto call = [=](const void* from, std::size_t length) -> ssize_t {
    return moves ? ::syscall(SYS_write, descriptor, from, length)
                 : ::syscall(SYS_pwrite64, descriptor, from, length, offset);
  };
  Entry entry(descriptor);
  if (!entry) return call(bytes, size);
  if (entry.fails(Call::kWrite)) return -1;
  FileCalls::OpenFile& file = entry.file();
  const Fault& fault = entry.fault();
  std::uint64_t at = static_cast<std::uint64_t>(offset);
  if (moves) at = file.append ? entry->size_of(file) : file.position;
  ssize_t written = 0;
  if (fault.zero) {
    const std::string zeros(size, '\0');
    written = call(zeros.data(), size);
  } else if (fault.astray) {
    const off_t place = moves ? position_of(descriptor) : offset;
    written = write_astray(descriptor, bytes, size, place, moves);
  } else {
    written = call(bytes, fault.half && size > 1 ? size / 2 : size);
  }
  if (written <= 0) return written;
  entry->wrote(file, at, static_cast<const char*>(bytes), static_cast<std::size_t>(written));
  if (moves) file.position = at + static_cast<std::uint64_t>(written);
  return written;
}

int sync_of(int descriptor, long number) {
  Entry entry(descriptor);
  if (!entry) return static_cast<int>(::syscall(number, descriptor));
  if (entry.fails(entry.file().folder ? Call::kSyncFolder : Call::kSync)) return -1;
  if (entry.fault().skip) return 0;
  const int done = static_cast<int>(::syscall(number, descriptor));
  if (done == 0) entry->synced(entry.file());
  return done;
}

int allocate(int descriptor, int mode, off_t offset, off_t size) {
  Entry entry(descriptor);
  if (entry && entry.fails(Call::kResize)) return -1;
  const int done = static_cast<int>(::syscall(SYS_fallocate, descriptor, mode, offset, size));
  if (entry && done == 0 && (mode & FALLOC_FL_KEEP_SIZE) == 0) {
    const auto end = static_cast<std::uint64_t>(offset + size);
    if (end > entry->size_of(entry.file())) entry->resized(entry.file(), end);
  }
  return done;
}

int remove_file(const char* path, long number) {
  Entry entry(path);
  if (entry && entry.fails(Call::kRemove)) return -1;
  const int done = static_cast<int>(::syscall(number, path));
  if (entry && done == 0) entry->removed(entry.path());
  return done;
}

}  // namespace
}  // namespace stator::crash

// In front of the C library's own.

using stator::crash::Call;
using stator::crash::Entry;

extern "C" {

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  Entry entry(path);
  if (!entry) return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
  const bool creates = (flags & O_CREAT) != 0 && ::access(path, F_OK) != 0;
  if (entry.fails(creates ? Call::kCreate : Call::kOpen)) return -1;
  const int descriptor = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
  if (descriptor < 0) return descriptor;
  struct stat info{};
  const bool folder = ::fstat(descriptor, &info) == 0 && S_ISDIR(info.st_mode);
  entry->opened(descriptor, entry.path(), flags, folder);
  return descriptor;
}

int close(int descriptor) {
  if (Entry entry(descriptor); entry) entry->closed(descriptor);
  return static_cast<int>(::syscall(SYS_close, descriptor));
}

int fclose(FILE* file) {
  using Close = int (*)(FILE*);
  static const auto real = reinterpret_cast<Close>(::dlsym(RTLD_NEXT, "fclose"));
  const int descriptor = ::fileno(file);
  if (Entry entry(descriptor); entry) entry->closed(descriptor);
  return real(file);
}

ssize_t read(int descriptor, void* bytes, size_t size) {
  return stator::crash::read_at(
      descriptor, bytes, size, [=] { return stator::crash::position_of(descriptor); },
      [=](size_t wanted) { return ::syscall(SYS_read, descriptor, bytes, wanted); });
}

ssize_t pread(int descriptor, void* bytes, size_t size, off_t offset) {
  return stator::crash::read_at(
      descriptor, bytes, size, [=] { return offset; },
      [=](size_t wanted) { return ::syscall(SYS_pread64, descriptor, bytes, wanted, offset); });
}

// Of one target: nobody here has more.
ssize_t preadv2(int descriptor, const struct iovec* targets, int, off_t offset, int flags) {
  void* const bytes = targets[0].iov_base;
  return stator::crash::read_at(
      descriptor, bytes, targets[0].iov_len, [=] { return offset; },
      [=](size_t wanted) {
        const struct iovec target{bytes, wanted};
        return ::syscall(SYS_preadv2, descriptor, &target, 1, offset, 0, flags);
      });
}

// A library that reads less than it was asked for has met the end: so there is no half of it.
size_t fread_unlocked(void* bytes, size_t size, size_t count, FILE* file) {
  using Read = size_t (*)(void*, size_t, size_t, FILE*);
  static const auto real = reinterpret_cast<Read>(::dlsym(RTLD_NEXT, "fread_unlocked"));
  const ssize_t got = stator::crash::read_at(
      ::fileno(file), bytes, size * count, [=] { return ::ftello(file); },
      [=](size_t) { return static_cast<ssize_t>(real(bytes, size, count, file) * size); });
  return got < 0 ? 0 : static_cast<size_t>(got) / size;
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  return stator::crash::write_at(descriptor, bytes, size, 0, true);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
  return stator::crash::write_at(descriptor, bytes, size, offset, false);
}

int fsync(int descriptor) {
  return stator::crash::sync_of(descriptor, SYS_fsync);
}

int fdatasync(int descriptor) {
  return stator::crash::sync_of(descriptor, SYS_fdatasync);
}

int ftruncate(int descriptor, off_t size) noexcept {
  Entry entry(descriptor);
  if (entry && entry.fails(Call::kResize)) return -1;
  const int done = static_cast<int>(::syscall(SYS_ftruncate, descriptor, size));
  if (entry && done == 0) entry->resized(entry.file(), static_cast<std::uint64_t>(size));
  return done;
}

int fallocate(int descriptor, int mode, off_t offset, off_t size) {
  return stator::crash::allocate(descriptor, mode, offset, size);
}

int posix_fallocate(int descriptor, off_t offset, off_t size) {
  return stator::crash::allocate(descriptor, 0, offset, size) == 0 ? 0 : errno;
}

int rename(const char* from, const char* to) noexcept {
  Entry entry(from);
  if (entry && entry.fails(Call::kRename)) return -1;
  const int done = static_cast<int>(::syscall(SYS_rename, from, to));
  if (entry && done == 0) entry->renamed(entry.path(), entry->relative(to));
  return done;
}

int unlink(const char* path) noexcept {
  return stator::crash::remove_file(path, SYS_unlink);
}

int rmdir(const char* path) noexcept {
  return stator::crash::remove_file(path, SYS_rmdir);
}

int remove(const char* path) noexcept {
  const int done = stator::crash::remove_file(path, SYS_unlink);
  if (done == 0 || errno != EISDIR) return done;
  return stator::crash::remove_file(path, SYS_rmdir);
}

int mkdir(const char* path, mode_t mode) noexcept {
  Entry entry(path);
  const bool creates = entry && ::access(path, F_OK) != 0;
  if (creates && entry.fails(Call::kCreate)) return -1;
  const int done = static_cast<int>(::syscall(SYS_mkdir, path, mode));
  if (entry && done == 0) entry->made_folder(entry.path());
  return done;
}
}
