#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace stator::cli {

/// A program that `dev` started. It is asked to stop when this process ends, however that happens;
/// a Ctrl-C of the terminal does not reach it. Its standard output is read here, its standard error
/// goes to a file. One thread only.
class ChildProcess {
 public:
  [[nodiscard]] static Result<ChildProcess> start(const std::vector<std::string>& command,
                                                  const std::string& error_file);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  /// Does not wait: end it before.
  ~ChildProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// True when it has printed this line. kTimeout when it has not by `deadline`, kClosed when it
  /// ended.
  [[nodiscard]] Result<void> await_line(const std::string& line, MonoTime deadline);
  void signal(int number) const;
  /// "ended with code 2", "was killed by signal 9"; empty while it runs. Does not wait.
  [[nodiscard]] const std::optional<std::string>& ended();

 private:
  ChildProcess(pid_t pid, int output) : pid_(pid), output_(output) {}

  pid_t pid_;
  int output_;
  std::string read_;
  std::optional<std::string> ended_;
};

}  // namespace stator::cli
