#include "name_shadow.h"

#include <utility>

#include "real_calls.h"

namespace stator::faulty {

std::string directory_of(const std::string& path) {
  const std::size_t end = path.rfind('/');
  return end == std::string::npos ? "." : path.substr(0, end);
}

void NameShadow::add(Change change) {
  changes_[directory_of(change.path)].push_back(std::move(change));
}

void NameShadow::made(const std::string& path) {
  add({.kind = Kind::kMade, .path = path});
}

// Directories have no second name: an empty one that is gone stays gone.
std::string NameShadow::keep(const std::string& path) {
  static_cast<void>(real().mkdir(attic_.c_str(), 0755));
  std::string kept = attic_ + "/" + std::to_string(++next_);
  return ::link(path.c_str(), kept.c_str()) == 0 ? kept : std::string();
}

void NameShadow::removed(const std::string& path, std::string kept) {
  if (!kept.empty()) add({.kind = Kind::kRemoved, .path = path, .kept = std::move(kept)});
}

void NameShadow::renamed(const std::string& from, const std::string& to, std::string kept) {
  add({.kind = Kind::kRenamed, .path = to, .before = from, .kept = std::move(kept)});
}

void NameShadow::synced(const std::string& directory) {
  const auto found = changes_.find(directory);
  if (found == changes_.end()) return;
  for (const Change& change : found->second) {
    if (!change.kept.empty()) real().unlink(change.kept.c_str());
  }
  changes_.erase(found);
}

void NameShadow::take_back(const Change& change) {
  const char* path = change.path.c_str();
  if (change.kind == Kind::kMade) real().remove(path);
  if (change.kind == Kind::kRenamed) real().rename(path, change.before.c_str());
  if (!change.kept.empty()) real().rename(change.kept.c_str(), path);
}

void NameShadow::lose_power(std::mt19937_64& random) {
  for (auto& [directory, changes] : changes_) {
    const std::size_t stay = random() % 3 == 0 ? 0 : random() % (changes.size() + 1);
    while (changes.size() > stay) {
      take_back(changes.back());
      changes.pop_back();
    }
  }
}

}  // namespace stator::faulty
