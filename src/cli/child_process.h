#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace stator::cli {

/// A program that this one started. It is asked to stop when this process ends, however that
/// happens; a Ctrl-C of the terminal does not reach it. Its standard output is read here. One
/// thread only, which lives as long as the child.
class ChildProcess {
 public:
  /// Its standard error goes to a file.
  [[nodiscard]] static Result<ChildProcess> start(const std::vector<std::string>& command,
                                                  const std::string& error_file);
  /// Its standard error is read with its output.
  [[nodiscard]] static Result<ChildProcess> start(const std::vector<std::string>& command);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  /// Does not wait: end it before.
  ~ChildProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// True when it has printed this line. kTimeout when it has not by `deadline`, kClosed when it
  /// ended.
  [[nodiscard]] Result<void> await_line(const std::string& line, MonoTime deadline);
  /// Waits until it has closed its output, as at its end; all that it has printed.
  [[nodiscard]] const std::string& read_to_end();
  void signal(int number) const;
  /// "ended with code 2", "was killed by signal 9"; empty while it runs. Does not wait.
  [[nodiscard]] const std::optional<std::string>& ended();
  /// The same; waits.
  [[nodiscard]] const std::string& await_end();

 private:
  ChildProcess(pid_t pid, int output) : pid_(pid), output_(output) {}
  static Result<ChildProcess> launch(const std::vector<std::string>& command, int error_file);
  bool read_some();
  void note_end(int status);

  pid_t pid_;
  int output_;
  std::string read_;
  std::optional<std::string> ended_;
};

}  // namespace stator::cli
