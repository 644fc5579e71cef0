#include "storage/rocksdb/rocksdb_files.h"

#include <fcntl.h>
#include <rocksdb/file_system.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace stator::storage::rocks {
namespace {

using ::rocksdb::FileOptions;
using ::rocksdb::FSRandomAccessFile;
using ::rocksdb::FSWritableFile;
using ::rocksdb::IODebugContext;
using ::rocksdb::IOOptions;
using ::rocksdb::IOStatus;
using ::rocksdb::Slice;

struct ThreadState {
  bool no_waiting = false;
  bool would_have_waited = false;
};
thread_local ThreadState thread_state;

bool is_log(std::string_view path) {
  return path.ends_with(".log");
}

IOStatus io_error(const std::string& what, int code) {
  const std::string text = std::strerror(code);
  return code == ENOSPC ? IOStatus::NoSpace(what, text) : IOStatus::IOError(what, text);
}

/// A table. With RWF_NOWAIT the kernel answers from the page cache or not at all.
class TableFile final : public FSRandomAccessFile {
 public:
  TableFile(std::string path, int descriptor, std::shared_ptr<FileEvents> events)
      : path_(std::move(path)), descriptor_(descriptor), events_(std::move(events)) {}
  ~TableFile() override { ::close(descriptor_); }
  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;

  IOStatus Read(std::uint64_t offset, std::size_t size, const IOOptions&, Slice* result,
                char* scratch, IODebugContext*) const override {
    *result = Slice(scratch, 0);
    std::size_t done = 0;
    while (done < size) {
      const ssize_t got = read_some(offset + done, size - done, scratch + done);
      if (got == 0) break;  // the end of the file
      if (got > 0) {
        done += static_cast<std::size_t>(got);
      } else if (errno != EINTR) {
        return io_error("while reading " + path_, errno);
      }
    }
    *result = Slice(scratch, done);
    return IOStatus::OK();
  }
  IOStatus Prefetch(std::uint64_t offset, std::size_t size, const IOOptions&,
                    IODebugContext*) override {
    static_cast<void>(::readahead(descriptor_, static_cast<off_t>(offset), size));  // a hint
    return IOStatus::OK();
  }
  void Hint(AccessPattern pattern) override {
    const int advice = pattern == kRandom       ? POSIX_FADV_RANDOM
                       : pattern == kSequential ? POSIX_FADV_SEQUENTIAL
                                                : POSIX_FADV_NORMAL;
    static_cast<void>(::posix_fadvise(descriptor_, 0, 0, advice));
  }
  IOStatus InvalidateCache(std::size_t offset, std::size_t size) override {
    static_cast<void>(::posix_fadvise(descriptor_, static_cast<off_t>(offset),
                                      static_cast<off_t>(size), POSIX_FADV_DONTNEED));
    return IOStatus::OK();
  }

 private:
  ssize_t read_some(std::uint64_t offset, std::size_t size, char* into) const {
    if (!thread_state.no_waiting) {
      return ::pread(descriptor_, into, size, static_cast<off_t>(offset));
    }
    if (events_->no_page_cache.load(std::memory_order_relaxed)) {
      thread_state.would_have_waited = true;
      errno = EAGAIN;
      return -1;
    }
    const iovec target{into, size};
    const ssize_t got = ::preadv2(descriptor_, &target, 1, static_cast<off_t>(offset), RWF_NOWAIT);
    // A file system that cannot promise not to wait is taken to wait.
    if (got < 0 && (errno == EAGAIN || errno == EOPNOTSUPP)) thread_state.would_have_waited = true;
    return got;
  }

  std::string path_;
  int descriptor_;
  std::shared_ptr<FileEvents> events_;
};

class WatchedWritable final : public ::rocksdb::FSWritableFileOwnerWrapper {
 public:
  WatchedWritable(std::unique_ptr<FSWritableFile> file, bool log,
                  std::shared_ptr<FileEvents> events)
      : FSWritableFileOwnerWrapper(std::move(file)), log_(log), events_(std::move(events)) {}

  using FSWritableFileOwnerWrapper::Append;
  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    if (events_->no_space.load(std::memory_order_relaxed)) return IOStatus::NoSpace();
    return target()->Append(data, options, debug);
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const ::rocksdb::DataVerificationInfo& verification,
                  IODebugContext* debug) override {
    if (events_->no_space.load(std::memory_order_relaxed)) return IOStatus::NoSpace();
    return target()->Append(data, options, verification, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return count(watch(fails() ? failed() : target()->Sync(options, debug)));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return count(watch(fails() ? failed() : target()->Fsync(options, debug)));
  }
  IOStatus RangeSync(std::uint64_t offset, std::uint64_t size, const IOOptions& options,
                     IODebugContext* debug) override {
    return watch(target()->RangeSync(offset, size, options, debug));
  }

 private:
  [[nodiscard]] bool fails() const {
    return log_ && events_->fail_log_syncs.load(std::memory_order_relaxed);
  }
  IOStatus count(IOStatus status) {
    if (log_ && status.ok()) events_->log_syncs.fetch_add(1, std::memory_order_relaxed);
    return status;
  }
  static IOStatus failed() { return io_error("while syncing the log", EIO); }
  IOStatus watch(IOStatus status) {
    if (log_ && !status.ok()) events_->log_sync_failed.store(true);
    return status;
  }

  bool log_;
  std::shared_ptr<FileEvents> events_;
};

class WatchedFiles final : public ::rocksdb::FileSystemWrapper {
 public:
  explicit WatchedFiles(std::shared_ptr<FileEvents> events)
      : FileSystemWrapper(::rocksdb::FileSystem::Default()), events_(std::move(events)) {}

  const char* Name() const override { return "WatchedFiles"; }

  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<FSRandomAccessFile>* file,
                               IODebugContext*) override {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT) return IOStatus::PathNotFound(path, "is missing");
    if (descriptor < 0) return io_error("while opening " + path, errno);
    *file = std::make_unique<TableFile>(path, descriptor, events_);
    return IOStatus::OK();
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* file, IODebugContext* debug) override {
    return watched(target()->NewWritableFile(path, options, file, debug), path, file);
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<FSWritableFile>* file,
                              IODebugContext* debug) override {
    return watched(target()->ReopenWritableFile(path, options, file, debug), path, file);
  }
  IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path,
                             const FileOptions& options, std::unique_ptr<FSWritableFile>* file,
                             IODebugContext* debug) override {
    return watched(target()->ReuseWritableFile(path, old_path, options, file, debug), path, file);
  }

 private:
  IOStatus watched(IOStatus status, const std::string& path,
                   std::unique_ptr<FSWritableFile>* file) {
    if (status.ok()) {
      *file = std::make_unique<WatchedWritable>(std::move(*file), is_log(path), events_);
    }
    return status;
  }

  std::shared_ptr<FileEvents> events_;
};

}  // namespace

NoWaiting::NoWaiting() {
  thread_state = {.no_waiting = true, .would_have_waited = false};
}
NoWaiting::~NoWaiting() {
  thread_state.no_waiting = false;
}
bool NoWaiting::would_have_waited() const {
  return thread_state.would_have_waited;
}

std::shared_ptr<::rocksdb::FileSystem> watched_files(std::shared_ptr<FileEvents> events) {
  return std::make_shared<WatchedFiles>(std::move(events));
}

}  // namespace stator::storage::rocks
