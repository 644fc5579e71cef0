#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/key_options.h"

int main(int count, char** arguments) {
  using namespace stator::cli;
  // A reader that has gone (`| head`) is an error of a write.
  std::signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);
  // The buffers of one turn are needed again in the next: to give their pages back and take fresh
  // ones costs more than the requests themselves.
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 128 << 20);
  const char* no_color = std::getenv("NO_COLOR");
  Console console{
      .out = std::cout,
      .err = std::cerr,
      .in = std::cin,
      .color = ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0')};
  // The commands that it proposes are typed as this one was: no PATH may lead to it.
  if (count > 0 && *arguments[0] != '\0') console.program = shell_quoted(arguments[0]);
  const Exit exit = run_command_line(
      make_program(), std::vector<std::string>(arguments + 1, arguments + count), console);
  std::cout.flush();
  // What was to be printed did not arrive: a script must not take that for success.
  if (!std::cout && exit == Exit::kDone) return static_cast<int>(Exit::kFailed);
  return static_cast<int>(exit);
}
