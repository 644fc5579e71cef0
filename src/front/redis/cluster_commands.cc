#include <algorithm>
#include <string>
#include <string_view>

#include "core/ring/position.h"
#include "front/redis/cluster_replies.h"
#include "front/redis/errors.h"
#include "front/redis/handlers.h"
#include "front/redis/redis_front.h"
#include "front/redis/text.h"

namespace stator::redis {

void do_cluster_slots(Call& call) {
  call.command.reply().raw(call.front.cluster_replies().slots(call.front.store().cluster()));
  call.command.finish();
}

void do_cluster_shards(Call& call) {
  call.command.reply().raw(call.front.cluster_replies().shards(call.front.store().cluster(),
                                                               call.connection.protocol()));
  call.command.finish();
}

void do_cluster_nodes(Call& call) {
  call.command.reply().verbatim(call.front.cluster_replies().nodes(call.front.store().cluster()));
  call.command.finish();
}

void do_cluster_info(Call& call) {
  const node::ClusterView& view = call.front.store().cluster();
  std::uint64_t slots = 0;
  for (const SlotRun& run : slot_runs(view)) slots += run.last - run.first + 1U;
  const auto failed = static_cast<std::uint64_t>(
      std::ranges::count(view.members, false, &node::MemberView::healthy));
  const bool ok = view.member && view.reaches_quorum() && !call.front.store().status().fenced;
  std::string text;
  append_line(text, "cluster_enabled", std::uint64_t{1});
  append_line(text, "cluster_state", ok ? "ok" : "fail");
  append_line(text, "cluster_slots_assigned", slots);
  append_line(text, "cluster_slots_ok", ok ? slots : 0);
  append_line(text, "cluster_slots_pfail", std::uint64_t{0});
  append_line(text, "cluster_slots_fail", ok ? 0 : slots);
  append_line(text, "cluster_known_nodes", std::uint64_t{view.members.size()});
  append_line(text, "cluster_size", std::uint64_t{view.members.size()});
  append_line(text, "cluster_current_epoch", std::uint64_t{1});
  append_line(text, "cluster_my_epoch", std::uint64_t{1});
  append_line(text, "stator_members_failed", failed);
  call.command.reply().verbatim(text);
  call.command.finish();
}

void do_cluster_myid(Call& call) {
  std::string name;
  append_node_name(name, call.front.store().cluster().self);
  call.command.reply().bulk(name);
  call.command.finish();
}

void do_cluster_keyslot(Call& call) {
  call.command.reply().integer(slot_of_key(call.words[2]));
  call.command.finish();
}

void do_cluster_replicas(Call& call) {
  for (const node::MemberView& member : call.front.store().cluster().members) {
    std::string name;
    append_node_name(name, member.id);
    if (name != call.words[2]) continue;
    call.command.reply().array(0);
    call.command.finish();
    return;
  }
  call.command.reply().error("ERR", "Unknown node; CLUSTER NODES shows the members");
  call.command.finish();
}

}  // namespace stator::redis
