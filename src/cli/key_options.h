#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/node_client.h"

namespace stator::cli {

/// What get, put, del and explain have in common: a key, and the node that is asked for it.
struct KeyOptions {
  std::string bucket;
  std::string key;
  NodeOptions node;

  void add_arguments(std::vector<Argument>& arguments);
  /// "/v1/kv/BUCKET/KEY", escaped.
  [[nodiscard]] std::string target(const std::string& api = "kv") const;
  /// "BUCKET KEY" as one would type it again.
  [[nodiscard]] std::string words() const;
  /// What an error of get, put or del is told with: these tell the node how long to try.
  [[nodiscard]] Asked asked(const char* command) const;
};

/// put and del: which context goes with the write.
struct WriteOptions {
  KeyOptions key;
  std::optional<std::string> context;
  bool blind = false;
  std::optional<std::string> w;
  std::optional<std::string> write_id;

  void add_options(std::vector<Option>& options);
};

/// "?name=value"; empty when it was not given. False after it has said that it is no number.
[[nodiscard]] bool quorum_query(Console& console, const char* name,
                                const std::optional<std::string>& given, std::string& query);

/// "timeout_ms=" what --timeout says: so long may the node try. Nothing when it was not given.
/// False after it has said that it is no time.
[[nodiscard]] bool timeout_query(Console& console, const NodeOptions& options, std::string& query);

/// Reads for its context unless one was given or the write is blind, sends `request` with it, and
/// prints the result.
[[nodiscard]] Exit write_with_context(const char* command, const WriteOptions& options,
                                      HttpRequest request, Console& console);

/// As a shell takes it: quoted where it must be.
[[nodiscard]] std::string shell_quoted(const std::string& word);

}  // namespace stator::cli
