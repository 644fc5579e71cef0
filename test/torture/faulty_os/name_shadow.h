#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace stator::faulty {

/// Names that were made, changed or removed since their directory was last synced. A loss of power
/// takes back the latest of them, in each directory some, none or all. Files that lost their name
/// are kept under another one until that is durable. Not thread-safe.
class NameShadow {
 public:
  /// `attic`: a directory on the same file system, for what may have to come back.
  explicit NameShadow(std::string attic) : attic_(std::move(attic)) {}

  void made(const std::string& path);
  void removed(const std::string& path, std::string kept);
  void renamed(const std::string& from, const std::string& to, std::string kept);
  /// Before a name is removed, or replaced by another file: keeps that one. Empty if there is none.
  [[nodiscard]] std::string keep(const std::string& path);
  void synced(const std::string& directory);
  void lose_power(std::mt19937_64& random);

 private:
  enum class Kind : std::uint8_t { kMade, kRemoved, kRenamed };
  struct Change {
    Kind kind{};
    std::string path;
    std::string before{};  // kRenamed: its name till then
    std::string kept{};    // where the file is now that was removed or replaced
  };
  void add(Change change);
  static void take_back(const Change& change);

  std::string attic_;
  std::uint64_t next_ = 0;
  std::map<std::string, std::vector<Change>> changes_;  // by directory, oldest first
};

[[nodiscard]] std::string directory_of(const std::string& path);

}  // namespace stator::faulty
