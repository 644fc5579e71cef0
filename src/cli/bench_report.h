#pragma once

#include <iosfwd>
#include <string>

#include "cli/bench/load.h"
#include "cli/command.h"

// What `stator bench` prints.

namespace stator::cli {

/// For people.
void print_bench_table(const bench::LoadOptions& options, const bench::LoadResult& result,
                       Console& console);
/// One JSON document with stable fields ("schema": 1; fields may be added), described in
/// bench/README.md.
void print_bench_json(const bench::LoadOptions& options, const bench::LoadResult& result,
                      std::ostream& out);
/// "12 s  83120/s  p99 1.21 ms", of the last second.
[[nodiscard]] std::string bench_progress_line(const bench::LoadOptions& options,
                                              const bench::Progress& progress);

/// Operations that did not end well, those that were never sent included.
[[nodiscard]] std::uint64_t bench_failures(const bench::LoadResult& result);

}  // namespace stator::cli
