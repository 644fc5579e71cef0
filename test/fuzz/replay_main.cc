// Runs a fuzz target over files instead of over libFuzzer: every file of the folders and every file
// named on the command line. The corpus thus stays a test for compilers without libFuzzer. Each
// input is copied into a heap block of exactly its size, so that AddressSanitizer sees the first
// byte read past its end.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

void collect(const fs::path& given, std::vector<fs::path>& files) {
  if (!fs::is_directory(given)) {
    files.push_back(given);
    return;
  }
  for (const auto& entry : fs::recursive_directory_iterator(given)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
}

std::optional<std::string> read_whole(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<fs::path> files;
  for (int i = 1; i < argc; ++i) collect(argv[i], files);
  std::sort(files.begin(), files.end());

  std::size_t unreadable = 0;
  for (const auto& path : files) {
    std::printf("%s\n", path.c_str());  // printed first: on a crash the last line names the input
    std::fflush(stdout);
    const auto bytes = read_whole(path);
    if (!bytes) {
      std::printf("  cannot be read\n");
      ++unreadable;
      continue;
    }
    const auto exact = std::make_unique<std::uint8_t[]>(bytes->size());
    std::copy(bytes->begin(), bytes->end(), exact.get());
    LLVMFuzzerTestOneInput(exact.get(), bytes->size());
  }
  if (files.empty()) std::printf("no input: the corpus is empty or missing\n");
  std::printf("%zu passed, %zu failed\n", files.size() - unreadable,
              unreadable + (files.empty() ? 1 : 0));
  return files.empty() || unreadable > 0 ? 1 : 0;
}
