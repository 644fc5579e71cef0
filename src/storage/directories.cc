#include "storage/directories.h"

#include <vector>

namespace stator::storage {

std::string parent_directory(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return path.empty() ? "." : "/";
  const std::size_t slash = path.rfind('/', end);
  if (slash == std::string::npos) return ".";
  const std::size_t last = path.find_last_not_of('/', slash);
  return last == std::string::npos ? "/" : path.substr(0, last + 1);
}

Result<void> create_durable_directories(env::Disk& disk, const std::string& path) {
  std::vector<std::string> parents;  // of what is missing, the innermost first
  for (std::string missing = path; missing != "." && missing != "/";
       missing = parent_directory(missing)) {
    const auto there = disk.exists(missing);
    if (!there) return std::unexpected(there.error());
    // Also the parent of what is there: a start that was killed may have made it just now.
    parents.push_back(parent_directory(missing));
    if (*there) break;
  }
  if (auto made = disk.create_directories(path); !made) return made;
  for (const std::string& parent : parents) {
    if (auto synced = disk.sync_directory(parent); !synced) return synced;
  }
  return {};
}

}  // namespace stator::storage
