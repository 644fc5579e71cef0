#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "node/metrics.h"
#include "node/store.h"

namespace stator::cli {

/// Turns what a node sees into alarms: one line when one is raised and one when it is over, each
/// with its page in docs/ops. Asked about once a second.
class Alarms {
 public:
  enum class Kind : std::uint8_t { kRaised, kOver };
  using Tell = std::function<void(Kind, const std::string& line)>;

  /// Compares with the last call; tells what changed.
  void look(const node::ClusterView& cluster, const node::NodeStatus& status,
            const node::Metrics& metrics, const Tell& tell);

 private:
  void members(const node::ClusterView& cluster, const Tell& tell);
  struct Level {
    bool on;
    const char* name;
    const char* page;
    const char* text;
  };
  static void level(const Level& now, bool& was_on, const Tell& tell);
  void count(std::uint64_t now, std::uint64_t& last, const char* name, const char* text,
             const Tell& tell);

  std::set<std::string> heard_;  // members that answered once: before, silence is a start
  std::set<std::string> down_;
  std::set<std::string> fenced_members_;
  std::set<std::string> copied_members_;
  bool skewed_ = false;
  bool low_ = false;
  bool no_write_ = false;
  bool failed_ = false;
  bool fenced_ = false;
  std::uint64_t unreadable_ = 0;
  std::uint64_t refusals_ = 0;
  int looks_ = 0;
};

}  // namespace stator::cli
