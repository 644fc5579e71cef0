#include <cstdlib>
#include <string_view>

namespace stator {

/// The mutant that this run of the museum shows (mutants.py); none without the variable.
bool mutant_is(const char* name) {
  const char* wanted = std::getenv("STATOR_MUTANT");
  return wanted != nullptr && std::string_view(wanted) == name;
}

}  // namespace stator
