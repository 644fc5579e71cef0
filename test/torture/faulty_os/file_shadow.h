#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>

namespace stator::faulty {

/// What one file was when it was last synced: its size, and the old bytes of pages that were
/// written since. From these a loss of power makes what a disk may then hold: each page and the
/// size as they were, or as they became. A new one is that of a file which was just synced.
///
/// What a sync that failed should have brought to the disk is lost, as Linux has it: the pages are
/// clean from then on, and show what the disk does not have. A later sync works and does nothing
/// about them, unless they were written again. Not thread-safe.
class FileShadow {
 public:
  static constexpr off_t kPage = 4096;

  /// `fd` may be read. Before [offset, offset + size) is written.
  void before_write(int fd, off_t offset, std::size_t size);
  /// Before the file gets another size.
  void before_truncate(int fd, off_t size);

  /// A sync begins, which makes durable what was written so far, but for what is lost. Returns what
  /// the file was until then, to be put back if it does not work after all.
  [[nodiscard]] FileShadow begin_sync(int fd);
  /// A sync has failed.
  void lose(int fd);

  /// Makes the file what a disk may hold after a loss of power.
  void lose_power(int fd, std::mt19937_64& random) const;

 private:
  [[nodiscard]] off_t lose_dirty(int fd, std::mt19937_64& random) const;
  void begin(int fd);
  void keep(int fd, off_t first, off_t last);

  using Pages = std::map<off_t, std::string>;  // by offset; shorter at the old end

  bool dirty_ = false;
  off_t synced_size_ = 0;
  Pages old_;
  // Of syncs that failed: what the disk has in place of what is shown.
  Pages lost_;
  std::optional<off_t> lost_size_;
};

}  // namespace stator::faulty
