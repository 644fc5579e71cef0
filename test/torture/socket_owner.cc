#include "socket_owner.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>

namespace stator::torture {
namespace {

struct Question {
  nlmsghdr header{};
  inet_diag_req_v2 body{};
};

struct Answer {
  nlmsghdr header{};
  inet_diag_msg body{};
  char attributes[4096] = {};
};

Question ask_for(std::uint16_t port, std::uint16_t other) {
  Question question;
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.body.sdiag_family = AF_INET;
  question.body.sdiag_protocol = IPPROTO_TCP;
  question.body.idiag_states = UINT32_MAX;
  inet_diag_sockid& id = question.body.id;
  id.idiag_sport = htons(port);
  id.idiag_dport = htons(other);
  id.idiag_src[0] = id.idiag_dst[0] = htonl(INADDR_LOOPBACK);
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return question;
}

}  // namespace

std::uint32_t socket_between(std::uint16_t port, std::uint16_t other) {
  const int kernel = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (kernel < 0) return 0;
  const Question question = ask_for(port, other);
  Answer answer;
  const bool heard = ::send(kernel, &question, sizeof question, 0) == sizeof question &&
                     ::recv(kernel, &answer, sizeof answer, 0) >=
                         static_cast<ssize_t>(sizeof answer.header + sizeof answer.body);
  ::close(kernel);
  return heard && answer.header.nlmsg_type == SOCK_DIAG_BY_FAMILY ? answer.body.idiag_inode : 0;
}

bool owns_socket(int pid, std::uint32_t socket) {
  const std::string wanted = "socket:[" + std::to_string(socket) + "]";
  std::error_code failed;
  const std::filesystem::path folder = "/proc/" + std::to_string(pid) + "/fd";
  for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    std::error_code gone;
    if (std::filesystem::read_symlink(*at, gone) == wanted) return true;
  }
  return false;
}

}  // namespace stator::torture
