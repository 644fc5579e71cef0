#include "socket_owner.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace stator::torture {
namespace {

// "socket:[inode]" of the socket with this port, as the links in /proc/<pid>/fd name it.
std::string socket_of(std::uint16_t port) {
  char wanted[8];
  std::snprintf(wanted, sizeof wanted, ":%04X", port);
  std::ifstream table("/proc/net/tcp");
  std::string line;
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::string number, local, remote, state, queues, timer, retries, user, timeout, inode;
    fields >> number >> local >> remote >> state >> queues >> timer >> retries >> user >> timeout >>
        inode;
    // Connections that ended a while ago have no socket any more.
    if (local.ends_with(wanted) && inode != "0") return "socket:[" + inode + "]";
  }
  return {};
}

}  // namespace

bool owns_socket(int pid, std::uint16_t port) {
  const std::string socket = socket_of(port);
  if (socket.empty()) return false;
  std::error_code failed;
  const std::filesystem::path folder = "/proc/" + std::to_string(pid) + "/fd";
  for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    std::error_code gone;
    if (std::filesystem::read_symlink(*at, gone) == socket) return true;
  }
  return false;
}

}  // namespace stator::torture
