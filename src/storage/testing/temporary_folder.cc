#include "storage/testing/temporary_folder.h"

#include <stdlib.h>

#include <string>
#include <system_error>

#include "base/assert.h"

namespace stator::storage::testing {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "storage-XXXXXX").string();
  const char* made = mkdtemp(name.data());
  STATOR_ASSERT(made != nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace stator::storage::testing
