#include "cli/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "cli/socket.h"

namespace stator::cli {

namespace {

std::unexpected<Error> failed(const std::string& what) {
  return std::unexpected(
      Error{.code = ErrorCode::kIo, .detail = what + ": " + std::strerror(errno)});
}

constexpr int kCannotExecute = 127;
constexpr int kWithOutput = -1;

// In the child, between fork and exec: only what is safe there.
[[noreturn]] void become(char* const* command, int output, int error_file, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(kCannotExecute);  // it ended before that line
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(error_file, STDERR_FILENO);
  ::execv(command[0], command);
  ::_exit(kCannotExecute);
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& command,
                                         const std::string& error_file) {
  const int log = ::open(error_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (log < 0) return failed("cannot write " + error_file);
  auto child = launch(command, log);
  ::close(log);
  return child;
}

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& command) {
  return launch(command, kWithOutput);
}

Result<ChildProcess> ChildProcess::launch(const std::vector<std::string>& command, int error_file) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return failed("cannot make a pipe");
  std::vector<std::string> words = command;  // exec wants them mutable
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const pid_t self = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    become(pointers.data(), pipe[1], error_file == kWithOutput ? pipe[1] : error_file, self);
  }
  const int error = errno;
  ::close(pipe[1]);
  if (pid < 0) {
    ::close(pipe[0]);
    errno = error;
    return failed("cannot start a process");
  }
  return ChildProcess(pid, pipe[0]);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(other.pid_),
      output_(std::exchange(other.output_, -1)),
      read_(std::move(other.read_)),
      ended_(std::move(other.ended_)) {}

ChildProcess::~ChildProcess() {
  if (output_ >= 0) ::close(output_);
}

Result<void> ChildProcess::await_line(const std::string& line, MonoTime deadline) {
  const std::string wanted = "\n" + line + "\n";
  for (;;) {
    if (("\n" + read_).find(wanted) != std::string::npos) return {};
    pollfd ready{.fd = output_, .events = POLLIN, .revents = 0};
    const std::int64_t left = std::max<std::int64_t>(0, (deadline - steady_now()).ms());
    const int count = ::poll(&ready, 1, static_cast<int>(left));
    if (count == 0) {
      return std::unexpected(Error{.code = ErrorCode::kTimeout, .detail = "it did not say so"});
    }
    if (count < 0 && errno == EINTR) continue;
    if (!read_some()) {
      return std::unexpected(Error{.code = ErrorCode::kClosed, .detail = "it ended"});
    }
  }
}

bool ChildProcess::read_some() {
  std::array<char, 4096> buffer;
  ssize_t got = 0;
  do {
    got = ::read(output_, buffer.data(), buffer.size());
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return false;
  read_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

const std::string& ChildProcess::read_to_end() {
  while (read_some()) {
  }
  return read_;
}

void ChildProcess::signal(int number) const {
  if (!ended_) ::kill(pid_, number);
}

const std::optional<std::string>& ChildProcess::ended() {
  int status = 0;
  if (!ended_ && ::waitpid(pid_, &status, WNOHANG) == pid_) note_end(status);
  return ended_;
}

const std::string& ChildProcess::await_end() {
  int status = 0;
  while (!ended_) {
    const pid_t got = ::waitpid(pid_, &status, 0);
    if (got == pid_) {
      note_end(status);
    } else if (errno != EINTR) {
      ended_ = "is gone";
    }
  }
  return *ended_;
}

void ChildProcess::note_end(int status) {
  ended_ = WIFSIGNALED(status) ? "was killed by signal " + std::to_string(WTERMSIG(status))
                               : "ended with code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace stator::cli
