#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>

namespace stator::faulty {

/// What one file was when it was last synced: its size, and the old bytes of pages that were
/// written since. From these a loss of power makes what a disk may then hold: each page and the
/// size as they were, or as they became. A new one is that of a file which was just synced. Not
/// thread-safe.
class FileShadow {
 public:
  static constexpr off_t kPage = 4096;

  /// `fd` may be read. Before [offset, offset + size) is written.
  void before_write(int fd, off_t offset, std::size_t size);
  /// Before the file gets another size.
  void before_truncate(int fd, off_t size);

  /// Makes the file what a disk may hold after a loss of power.
  void lose_power(int fd, std::mt19937_64& random) const;

 private:
  void begin(int fd);
  void keep(int fd, off_t first, off_t last);

  bool dirty_ = false;
  off_t synced_size_ = 0;
  std::map<off_t, std::string> old_;  // by offset of the page; shorter at the old end
};

}  // namespace stator::faulty
