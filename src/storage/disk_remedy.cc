#include "storage/disk_remedy.h"

namespace stator::storage {

Error with_disk_remedy(Error error, const std::string& path) {
  if (error.code == ErrorCode::kDiskFull) {
    error.detail += ": free some space (docs/ops/disk-full.md says how) and start this node again";
  } else if (error.code == ErrorCode::kIo) {
    error.detail += ": check the disk and the rights to " + path + ", and start this node again";
  }
  return error;
}

}  // namespace stator::storage
