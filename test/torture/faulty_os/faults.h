#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>

#include "file_shadow.h"
#include "name_shadow.h"

namespace stator::faulty {

/// What is wrong with the files of one process below one directory, and what they were when they
/// were last synced. Thread-safe.
class Faults {
 public:
  /// Of this process, made by its environment: STATOR_FAULTY_ROOT names the directory.
  static Faults& get();
  /// Once, when the process begins.
  void begin() const;

  // The calls, with what they do to the shadows. As the system's, errno included.
  int open(const char* path, int flags, mode_t mode);
  int close(int fd);
  ssize_t write(int fd, const void* bytes, std::size_t size);
  ssize_t pwrite(int fd, const void* bytes, std::size_t size, off_t offset);
  int ftruncate(int fd, off_t size);
  int allocate(int fd, off_t offset, off_t size);  // answers an errno
  int sync(int fd, int (*call)(int));
  int rename(const char* from, const char* to);
  int remove(const char* path, int (*call)(const char*));
  int mkdir(const char* path, mode_t mode);

  // Orders.
  /// The process ends; what was not synced is lost in part or altogether. Does not return.
  [[noreturn]] void lose_power(std::uint64_t seed);
  /// So many syncs of files from now on fail with EIO, and what they should have brought to the
  /// disk no later one brings there.
  void fail_syncs(std::int64_t count) { failing_syncs_ = count; }
  /// Bytes per second that a sync brings to the disk; 0: as many as it does.
  void set_rate(std::int64_t bytes_per_s) { rate_ = bytes_per_s; }
  /// Whoever writes is told that there is no space.
  void set_full(bool full) { full_ = full; }
  /// Added to the wall clock.
  void set_clock(std::int64_t seconds) { clock_s_ = seconds; }
  [[nodiscard]] std::int64_t clock_s() const { return clock_s_; }
  [[nodiscard]] std::uint64_t syncs() const { return syncs_; }
  [[nodiscard]] std::int64_t waited_ms() const { return waited_ns_ / 1'000'000; }

 private:
  struct File {
    int fd = -1;  // of our own, never closed: that would end locks, and free the inode for another
    FileShadow shadow;
  };
  explicit Faults(std::string root);
  [[nodiscard]] bool inside(const std::string& path) const;
  void opened(int fd, const std::string& path, bool made);
  [[nodiscard]] File* file_of(int fd);
  void wait_for_disk();
  int sync_file(int fd, int (*call)(int));
  int sync_directory(int fd, const std::string& path, int (*call)(int));

  const std::string root_;
  std::mutex disk_;   // it does one thing at a time, where it is slow
  std::mutex mutex_;  // for the rest
  std::map<int, File*> open_;
  std::map<int, std::string> directories_;
  std::map<ino_t, std::unique_ptr<File>> files_;
  NameShadow names_;
  std::atomic<std::int64_t> failing_syncs_{0};
  std::atomic<std::int64_t> rate_{0};
  std::atomic<std::int64_t> unsynced_bytes_{0};
  std::atomic<std::int64_t> waited_ns_{0};
  std::atomic<std::int64_t> clock_s_{0};
  std::atomic<std::uint64_t> syncs_{0};
  std::atomic<bool> full_{false};
};

}  // namespace stator::faulty
