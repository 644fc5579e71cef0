#include "sim/clients_judge.h"

#include <cstddef>

namespace stator::sim {

ClientsJudge::ClientsJudge(World& world, const Founding& founding)
    : founding_(founding),
      history_(
          log_, [&world] { return world.now(); }, cluster_tag(founding.cluster_id), founding.r,
          founding.w) {}

void ClientsJudge::adapt(Workload& workload) const {
  workload.weights[static_cast<std::size_t>(OperationKind::kDel)] = 0;
  workload.weights[static_cast<std::size_t>(OperationKind::kStDelBlind)] = 0;
  workload.owners = 0.5;
  workload.quorum = founding_.r;
  workload.evidence = 0.5;
}

Verdict ClientsJudge::judge(const OperationLog& seen, MonoTime disk_lost_at) {
  for (const KeyLog& key : seen.keys()) {
    KeyLog& told = log_.key(log_.key_index(key.bucket, key.key));
    told.final_versions = key.final_versions;
    told.final_known = key.final_known;
    told.rotten_at = key.rotten_at;
  }
  history_.name_plain_writes();
  return check(log_, {.n = founding_.n,
                      .w = founding_.w,
                      .partitions = founding_.q,
                      .mints_known = false,
                      .disk_lost_at = disk_lost_at});
}

}  // namespace stator::sim
