#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/bench/load.h"
#include "cli/command.h"
#include "cli/node_client.h"

namespace stator::cli {

/// The command line of `stator bench`, as text.
struct BenchOptions {
  NodeOptions node;
  std::vector<std::string> redis;
  bool cluster = false;
  std::uint64_t connections = 50;
  std::uint64_t pipeline = 1;
  std::string mix = "get=90,set=10";
  std::uint64_t keys = 100'000;
  double zipf = 0;
  std::string prefix = "bench:";
  std::string value_bytes = "1024";
  double rate = 0;
  std::optional<std::string> duration;
  std::uint64_t operations = 0;
  std::string warmup = "0s";
  bool fill = false;
  bool check = false;
  bool allow_errors = false;
  std::uint64_t seed = 1;

  void add_options(std::vector<Option>& options);
};

/// What it means, without the nodes when they are to be asked for. kBadRequest with a sentence that
/// names the option, the value and what is right.
[[nodiscard]] Result<bench::LoadOptions> load_options(const BenchOptions& given);

/// "1024", "1KiB" or "100-4KiB".
[[nodiscard]] Result<bench::ValueSizes> parse_value_sizes(std::string_view text);

}  // namespace stator::cli
