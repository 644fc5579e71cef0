#include "crash_image.h"

#include <algorithm>
#include <fstream>

#include "base/assert.h"

namespace stator::crash {
namespace {

constexpr std::size_t kSector = 512;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

void put(std::string& content, std::uint64_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size(), '\0');
  content.replace(offset, bytes.size(), bytes);
}

void keep(std::string& content, const Event& change) {
  if (change.kind == Event::Kind::kResize) {
    content.resize(change.number, '\0');
  } else {
    put(content, change.number, change.bytes);
  }
}

void tear(std::string& content, const Event& change, SplitMix64& random) {
  if (change.kind == Event::Kind::kResize) return;
  std::string_view rest = change.bytes;
  for (std::uint64_t at = change.number; !rest.empty();) {
    const std::size_t size = std::min<std::size_t>(kSector - at % kSector, rest.size());
    if (random.chance(0.5)) put(content, at, rest.substr(0, size));
    rest.remove_prefix(size);
    at += size;
  }
}

}  // namespace

void CrashImage::apply_name(const Event& event, Names& names) {
  switch (event.kind) {
    case Event::Kind::kCreate: names[event.path] = event.file; break;
    case Event::Kind::kCreateFolder: names[event.path] = 0; break;
    case Event::Kind::kRemove: names.erase(event.path); break;
    case Event::Kind::kRename:
      names[event.to] = names.at(event.path);
      names.erase(event.path);
      break;
    default: STATOR_ASSERT(false);
  }
}

void CrashImage::apply(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kWrite:
    case Event::Kind::kResize: files_[event.file].pending.push_back(event); break;
    case Event::Kind::kSync: {
      Content& content = files_[event.file];
      for (const Event& change : content.pending) keep(content.durable, change);
      content.pending.clear();
      break;
    }
    case Event::Kind::kSyncFolder: {
      std::size_t durable = 0;
      for (std::size_t i = 0; i < pending_names_.size(); ++i) {
        if (folder_of(pending_names_[i].path) == event.path) durable = i + 1;
      }
      for (std::size_t i = 0; i < durable; ++i) apply_name(pending_names_[i], durable_names_);
      pending_names_.erase(pending_names_.begin(),
                           pending_names_.begin() + static_cast<std::ptrdiff_t>(durable));
      break;
    }
    case Event::Kind::kMark: break;
    default: pending_names_.push_back(event); break;
  }
}

std::string CrashImage::settle(const Content& content, Fate fate, SplitMix64& random) {
  std::string bytes = content.durable;
  for (const Event& change : content.pending) {
    switch (fate) {
      case Fate::kLost:
      case Fate::kNamesOnly: break;
      case Fate::kKept:
      case Fate::kDataOnly: keep(bytes, change); break;
      case Fate::kLast:
        if (&change == &content.pending.back()) keep(bytes, change);
        break;
      case Fate::kAny: {
        const double drawn = random.unit();
        if (drawn < 0.4) {
          keep(bytes, change);
        } else if (drawn < 0.7) {
          tear(bytes, change, random);
        }
        break;
      }
    }
  }
  return bytes;
}

void CrashImage::write_to(const std::filesystem::path& folder, Fate fate,
                          SplitMix64& random) const {
  Names names = durable_names_;
  std::size_t kept = pending_names_.size();
  if (fate == Fate::kLost || fate == Fate::kDataOnly) kept = 0;
  if (fate == Fate::kAny) kept = random.below(pending_names_.size() + 1);
  for (std::size_t i = 0; i < kept; ++i) apply_name(pending_names_[i], names);
  // Sorted: a folder comes before what is in it.
  for (const auto& [path, file] : names) {
    if (file == 0) {
      std::filesystem::create_directories(folder / path);
      continue;
    }
    const auto content = files_.find(file);
    std::ofstream out(folder / path, std::ios::binary);
    if (content != files_.end()) out << settle(content->second, fate, random);
    STATOR_ASSERT(out.good());
  }
}

}  // namespace stator::crash
