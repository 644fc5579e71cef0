#include "env_sim/disk_image.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace stator::sim {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kBlock = 4096;
// Of a file: every so many changes one block is remembered, the last few of them.
constexpr std::uint64_t kRememberEvery = 16;
constexpr std::size_t kRemembered = 8;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string tidy(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path.empty() ? "." : path;
}

bool is_root(const std::string& path) {
  return path == "/" || path == ".";
}

Error no_such(const std::string& path) {
  return {.code = ErrorCode::kIo, .detail = path + ": no such file or directory"};
}

}  // namespace

void FileContent::put(std::uint64_t offset, std::string_view bytes) {
  if (offset == bytes_.size()) {
    bytes_.append(bytes);
    return;
  }
  if (offset + bytes.size() > bytes_.size()) bytes_.resize(offset + bytes.size(), '\0');
  bytes_.replace(offset, bytes.size(), bytes);
}

void FileContent::read(std::uint64_t offset, std::size_t size, std::string& out) const {
  if (offset >= bytes_.size()) return;
  const std::size_t begin = out.size();
  out.append(bytes_, offset, size);
  const std::uint64_t end = offset + (out.size() - begin);
  for (const Block& block : stale_) {
    for (std::uint64_t at = block.number * kBlock; at < (block.number + 1) * kBlock; ++at) {
      if (at < offset || at >= end) continue;
      const std::uint64_t inside = at - block.number * kBlock;
      out[begin + (at - offset)] = inside < block.bytes.size() ? block.bytes[inside] : '\0';
    }
  }
}

void FileContent::remember(std::uint64_t offset) {
  const std::uint64_t number = offset / kBlock;
  if (number * kBlock >= bytes_.size()) return;
  older_.push_back({number, bytes_.substr(number * kBlock, kBlock)});
  if (older_.size() > kRemembered) older_.pop_front();
}

void FileContent::go_stale(Random& random) {
  STATOR_ASSERT(!bytes_.empty());
  Block block;
  if (!older_.empty() && random.chance(0.7)) {
    block = older_[random.below(older_.size())];
  } else {
    block.number = random.below((bytes_.size() + kBlock - 1) / kBlock);
  }
  std::erase_if(stale_, [&](const Block& other) { return other.number == block.number; });
  stale_.push_back(std::move(block));
}

void FileContent::write(std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  if (changes() % kRememberEvery == kRememberEvery - 1) remember(offset);
  std::erase_if(stale_, [&](const Block& block) {
    return block.number >= offset / kBlock && block.number <= (offset + bytes.size() - 1) / kBlock;
  });
  Change change{.offset = offset, .length = bytes.size(), .old_size = bytes_.size()};
  if (offset < bytes_.size()) change.replaced = bytes_.substr(offset, bytes.size());
  pending_.push_back(std::move(change));
  put(offset, bytes);
}

void FileContent::truncate(std::uint64_t size) {
  Change change{.truncation = true, .offset = size, .old_size = bytes_.size()};
  if (size < bytes_.size()) change.replaced = bytes_.substr(size);
  pending_.push_back(std::move(change));
  bytes_.resize(size, '\0');
}

void FileContent::settle(std::uint64_t changes, Fate fate) {
  const std::uint64_t covered = changes - std::min(changes, durable_changes_);
  for (; settled_ < std::min<std::uint64_t>(covered, pending_.size()); ++settled_) {
    pending_[settled_].fate = fate;
  }
  while (!pending_.empty() && pending_.front().fate == Fate::kDurable) {
    pending_.pop_front();
    --settled_;
    ++durable_changes_;
  }
}

void FileContent::make_all_durable() {
  durable_changes_ += pending_.size();
  pending_.clear();
  settled_ = 0;
}

void FileContent::lose_power(const DiskFaults& faults, Random& random) {
  // Backwards to the durable state, collecting what each change had written; then forwards again
  // with those that made it.
  std::vector<std::string> written(pending_.size());
  for (std::size_t i = pending_.size(); i-- > 0;) {
    const Change& change = pending_[i];
    if (!change.truncation) written[i] = bytes_.substr(change.offset, change.length);
    bytes_.resize(change.old_size, '\0');
    bytes_.replace(change.offset > change.old_size ? change.old_size : change.offset,
                   change.replaced.size(), change.replaced);
  }
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const Change& change = pending_[i];
    if (change.fate == Fate::kLost) continue;
    const double fate = change.fate == Fate::kDurable ? 0 : random.fraction();
    if (change.fate == Fate::kDurable || fate < faults.crash_keeps_write) {
      if (change.truncation) {
        bytes_.resize(change.offset, '\0');
      } else {
        put(change.offset, written[i]);
      }
    } else if (fate < faults.crash_keeps_write + faults.crash_tears_write) {
      keep_sectors(change, written[i], random);
    }
  }
  make_all_durable();
  sync_failed = false;
}

void FileContent::keep_sectors(const Change& change, std::string_view bytes, Random& random) {
  std::uint64_t at = change.offset;
  while (!bytes.empty()) {
    const std::uint64_t size = std::min<std::uint64_t>(kSector - at % kSector, bytes.size());
    if (random.chance(0.5)) put(at, bytes.substr(0, size));
    at += size;
    bytes.remove_prefix(size);
  }
}

std::shared_ptr<FileContent> DiskImage::find(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second.file;
}

bool DiskImage::exists(const std::string& path) const {
  return is_root(tidy(path)) || names_.contains(tidy(path));
}

bool DiskImage::is_directory(const std::string& raw) const {
  const std::string path = tidy(raw);
  if (is_root(path)) return true;
  const auto found = names_.find(path);
  return found != names_.end() && found->second.file == nullptr;
}

Result<std::shared_ptr<FileContent>> DiskImage::create(const std::string& path) {
  if (!is_directory(parent_of(path))) return std::unexpected(no_such(parent_of(path)));
  if (exists(path)) {
    return std::unexpected(
        Error{.code = ErrorCode::kConflict, .detail = path + ": exists already"});
  }
  auto file = std::make_shared<FileContent>();
  change_names({.removed = {}, .added = path, .entry = {file}});
  return file;
}

Result<void> DiskImage::create_directories(const std::string& raw) {
  const std::string path = tidy(raw);
  if (is_directory(path)) return {};
  if (exists(path)) {
    return std::unexpected(Error{.code = ErrorCode::kIo, .detail = path + ": not a directory"});
  }
  if (auto made = create_directories(parent_of(path)); !made) return made;
  change_names({.removed = {}, .added = path, .entry = {nullptr}});
  return {};
}

Result<std::vector<std::string>> DiskImage::list(const std::string& raw) const {
  const std::string path = tidy(raw);
  if (!is_directory(path)) return std::unexpected(no_such(path));
  std::vector<std::string> found;
  for (const auto& [name, entry] : names_) {
    if (name != path && parent_of(name) == path) found.push_back(name.substr(name.rfind('/') + 1));
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<void> DiskImage::rename(const std::string& from, const std::string& to) {
  const auto found = names_.find(from);
  if (found == names_.end()) return std::unexpected(no_such(from));
  if (!is_directory(parent_of(to))) return std::unexpected(no_such(parent_of(to)));
  if (found->second.file == nullptr || is_directory(to)) {
    // Nothing here moves directories; it would need the names below them to move too.
    return std::unexpected(
        Error{.code = ErrorCode::kNotSupported, .detail = from + ": directories are not renamed"});
  }
  change_names({.removed = from, .added = to, .entry = found->second});
  return {};
}

Result<void> DiskImage::remove(const std::string& raw) {
  const std::string path = tidy(raw);
  const auto found = names_.find(path);
  if (found == names_.end()) return std::unexpected(no_such(path));
  if (found->second.file == nullptr && !list(path)->empty()) {
    return std::unexpected(Error{.code = ErrorCode::kIo, .detail = path + ": directory not empty"});
  }
  change_names({.removed = path, .added = {}, .entry = {}});
  return {};
}

Result<void> DiskImage::sync_directory(const std::string& raw) {
  const std::string path = tidy(raw);
  if (!is_directory(path)) return std::unexpected(no_such(path));
  std::erase_if(pending_names_, [&](const NameChange& change) {
    const bool here = (!change.removed.empty() && parent_of(change.removed) == path) ||
                      (!change.added.empty() && parent_of(change.added) == path);
    if (here) apply(change, durable_names_);
    return here;
  });
  return {};
}

void DiskImage::change_names(NameChange change) {
  apply(change, names_);
  pending_names_.push_back(std::move(change));
}

void DiskImage::apply(const NameChange& change, Names& names) {
  if (!change.removed.empty()) names.erase(change.removed);
  if (!change.added.empty()) names[change.added] = change.entry;
}

bool DiskImage::lock(const std::string& directory) {
  return locks_.insert(tidy(directory)).second;
}

void DiskImage::unlock(const std::string& directory) {
  locks_.erase(tidy(directory));
}

std::uint64_t DiskImage::used_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [name, entry] : names_) {
    if (entry.file != nullptr) sum += entry.file->bytes().size();
  }
  return sum;
}

void DiskImage::lose_power() {
  for (const NameChange& change : pending_names_) {
    if (random_.fraction() < faults.crash_keeps_name) apply(change, durable_names_);
  }
  pending_names_.clear();
  names_ = durable_names_;
  // A name below a directory that is gone is gone; in name order parents come first.
  std::erase_if(names_, [this](const auto& item) { return !is_directory(parent_of(item.first)); });
  durable_names_ = names_;
  for (const auto& [name, entry] : names_) {
    if (entry.file != nullptr) entry.file->lose_power(faults, random_);
  }
  locks_.clear();
}

void DiskImage::sync_all() {
  pending_names_.clear();
  durable_names_ = names_;
  for (const auto& [name, entry] : names_) {
    if (entry.file != nullptr) entry.file->make_all_durable();
  }
}

std::vector<FileContent*> DiskImage::files_with_content() const {
  std::vector<FileContent*> files;
  for (const auto& [name, entry] : names_) {
    if (entry.file != nullptr && !entry.file->bytes_.empty()) files.push_back(entry.file.get());
  }
  return files;
}

void DiskImage::rot() {
  const std::uint64_t stored = used_bytes();
  if (stored == 0) return;
  const auto flip = [this](std::string& bytes, std::uint64_t place) {
    bytes[place] = static_cast<char>(bytes[place] ^ (1 << random_.below(8)));
  };
  const std::vector<FileContent*> files = files_with_content();
  // Any byte may be hit; but where one file has nearly all of them, so are the small ones.
  if (random_.chance(0.5)) {
    std::string& bytes = files[random_.below(files.size())]->bytes_;
    flip(bytes, random_.below(bytes.size()));
    return;
  }
  std::uint64_t place = random_.below(stored);
  for (FileContent* file : files) {
    if (place < file->bytes_.size()) return flip(file->bytes_, place);
    place -= file->bytes_.size();
  }
}

void DiskImage::go_stale() {
  const std::vector<FileContent*> files = files_with_content();
  if (!files.empty()) files[random_.below(files.size())]->go_stale(random_);
}

bool DiskImage::write_astray(FileContent& file, std::uint64_t offset, std::string_view bytes) {
  if (!misdirects_ || bytes.empty()) return false;
  const std::vector<FileContent*> files = files_with_content();
  if (files.empty()) return false;
  misdirects_ = false;
  FileContent& hit = *files[random_.below(files.size())];
  const std::uint64_t at = random_.below((hit.bytes_.size() + kSector - 1) / kSector) * kSector;
  // Files end where they ended: of what lies behind, the system knows nothing.
  hit.write(at, bytes.substr(0, hit.bytes_.size() - at));
  // And this one is as long as if it had been written.
  if (offset + bytes.size() > file.bytes_.size()) file.truncate(offset + bytes.size());
  return true;
}

bool DiskImage::may_fail() const {
  return faults.fail_calls() || read_only || std::ranges::any_of(names_, [](const auto& item) {
           return item.second.file != nullptr && item.second.file->broken;
         });
}

void DiskImage::mend() {
  read_only = false;
  misdirects_ = false;
  for (const auto& [name, entry] : names_) {
    if (entry.file != nullptr) entry.file->broken = false;
  }
}

void DiskImage::wipe() {
  mend();
  names_.clear();
  durable_names_.clear();
  pending_names_.clear();
  locks_.clear();
}

DiskImage::Image DiskImage::image() const {
  Image image;
  for (const auto& [name, entry] : names_) {
    if (entry.file == nullptr) {
      image[name + "/"];
    } else {
      image[name] = entry.file->bytes();
    }
  }
  return image;
}

void DiskImage::keep_image() {
  image_ = image();
}

void DiskImage::restore_image() {
  restore(image_);
}

void DiskImage::become_copy_of(const DiskImage& other) {
  restore(other.image());
}

void DiskImage::restore(const Image& image) {
  wipe();
  for (const auto& [name, bytes] : image) {
    Entry entry;
    if (name.ends_with('/')) {
      names_[tidy(name)] = entry;
      continue;
    }
    entry.file = std::make_shared<FileContent>();
    entry.file->write(0, bytes);
    names_[name] = entry;
  }
  sync_all();
}

}  // namespace stator::sim
