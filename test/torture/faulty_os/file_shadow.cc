#include "file_shadow.h"

#include <algorithm>
#include <utility>

#include "real_calls.h"

namespace stator::faulty {
namespace {

off_t size_of(int fd) {
  struct stat facts{};
  return ::fstat(fd, &facts) == 0 ? facts.st_size : 0;
}

off_t page_of(off_t offset) {
  return offset / FileShadow::kPage * FileShadow::kPage;
}

void put(int fd, const std::string& bytes, off_t at) {
  static_cast<void>(real().pwrite(fd, bytes.data(), bytes.size(), at) == 0);
}

}  // namespace

void FileShadow::begin(int fd) {
  if (dirty_) return;
  dirty_ = true;
  synced_size_ = size_of(fd);
}

void FileShadow::keep(int fd, off_t first, off_t last) {
  for (off_t page = page_of(first); page < std::min(last, synced_size_); page += kPage) {
    // Written again, it is the next sync's.
    if (auto lost = lost_.extract(page)) {
      old_.insert(std::move(lost));
      continue;
    }
    const auto [at, fresh] = old_.try_emplace(page);
    if (!fresh) continue;
    std::string& bytes = at->second;
    bytes.resize(static_cast<std::size_t>(std::min(kPage, synced_size_ - page)));
    const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), page);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  }
}

void FileShadow::before_write(int fd, off_t offset, std::size_t size) {
  begin(fd);
  keep(fd, offset, offset + static_cast<off_t>(size));
}

void FileShadow::before_truncate(int fd, off_t size) {
  begin(fd);
  keep(fd, size, synced_size_);
}

FileShadow FileShadow::begin_sync(int fd) {
  FileShadow before = std::exchange(*this, {});
  lost_ = before.lost_;
  const bool resized = before.dirty_ && size_of(fd) != before.synced_size_;
  if (!resized) lost_size_ = before.lost_size_;
  return before;
}

void FileShadow::lose(int fd) {
  if (!dirty_) return;
  const off_t now = size_of(fd);
  // What was appended: the page in which the file ended, and those that were not there.
  keep(fd, synced_size_, now);
  for (off_t page = page_of(synced_size_ + kPage - 1); page < now; page += kPage) {
    old_.try_emplace(page);
  }
  lost_.merge(old_);  // what was lost before is older
  if (now != synced_size_ && !lost_size_) lost_size_ = synced_size_;
  old_.clear();
  dirty_ = false;
}

void FileShadow::lose_power(int fd, std::mt19937_64& random) const {
  if (!dirty_ && lost_.empty() && !lost_size_) return;
  off_t size = dirty_ ? lose_dirty(fd, random) : size_of(fd);
  const bool as_shown = !dirty_ || size == synced_size_;
  if (lost_size_ && as_shown) size = *lost_size_;
  for (const auto& [page, bytes] : lost_) {
    if (page >= size) continue;
    std::string whole = bytes;
    whole.resize(static_cast<std::size_t>(std::min(kPage, size - page)), '\0');
    put(fd, whole, page);
  }
  static_cast<void>(real().ftruncate(fd, size) == 0);
}

// Of what no sync was asked for. The size that the file then has.
off_t FileShadow::lose_dirty(int fd, std::mt19937_64& random) const {
  const off_t now = size_of(fd);
  const auto below = [&random](off_t bound) {
    return static_cast<off_t>(random() % static_cast<std::uint64_t>(bound));
  };
  // A third of the files lose all; the others keep some pages and some of what was appended.
  const bool all = random() % 3 == 0;
  off_t size = synced_size_;
  if (!all && now > size) size += random() % 3 == 0 ? now - size : below(now - size + 1);
  for (const auto& [page, bytes] : old_) {
    if (all || random() % 2 == 0) put(fd, bytes, page);
  }
  // Of a page that was appended to, either the old part alone is there or the new one, too.
  const std::string zeros(static_cast<std::size_t>(kPage), '\0');
  for (off_t page = page_of(synced_size_); page < size; page += kPage) {
    if (random() % 4 != 0) continue;
    const off_t from = std::max(page, synced_size_);
    put(fd, zeros.substr(0, static_cast<std::size_t>(page + kPage - from)), from);
  }
  return size;
}

}  // namespace stator::faulty
