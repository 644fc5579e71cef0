"""The bug museum: bugs that stores of this family have had, each put back on purpose, to be caught by the
simulator (G7). A mutant is a name, the rule that it breaks, invariants of which one must be seen to break
("assert" is an assertion that fails), and edits: in a file of src, a text that stands there once, and what
stands there in the museum's build. In it MUTANT is true in the run that asks for this mutant, so that all
live in one program.

What harms no data, and what a run brings about too seldom or not at all (a walk over hints that fails), no invariant of
a run sees. Such a mutant names tests instead of invariants, as a filter of GoogleTest: of these one must fail. They are
those of the product, in a program of the museum's own (CMakeLists.txt).

docs/museum.md is made of this list.
"""

from dataclasses import dataclass


@dataclass
class Mutant:
    name: str
    rule: str
    what: str
    breaks: str  # empty: no run of the simulator sees it
    edits: list  # (file, text, text of the museum)
    faults: str = "all"
    minutes: float = 0.25
    tests: str = ""  # a filter: what sees it instead


WRITE_ROUND, READ_ROUND = "core/quorum/write_round.cc", "core/quorum/read_round.cc"
MERGE, PUT = "core/version/merge.cc", "core/version/put.cc"

MUTANTS = [
    Mutant("write_quorum", "D9", "one acknowledgement too few is enough for a write", "I1 I12 P7",
           [(WRITE_ROUND, "served_by(acked).size() >= options_.w",
             "served_by(acked).size() + (MUTANT ? 1 : 0) >= options_.w")]),
    Mutant("read_quorum", "D9", "one answer too few is enough for a read", "I12 P7",
           [(READ_ROUND, "set.size() >= options_.r", "set.size() + (MUTANT ? 1 : 0) >= options_.r")]),
    Mutant("incarnation", "D1", "counters begin again under one name after every start", "I9 assert",
           [("node/node.cc", "node->incarnation_ = {executor.random()};",
             "node->incarnation_ = {MUTANT ? node->options_.name.size() +"
             " static_cast<unsigned char>(node->options_.name.back()) : executor.random()};")]),
    Mutant("wall_clock_incarnation", "D28", "the name of a start is the time, in steps of ten seconds",
           "I9 assert",
           [("node/node.cc", ": executor.random()};",
             ": MUTANT ? static_cast<std::uint64_t>(executor.wall_now().us / 10'000'000) * 64 +"
             " static_cast<unsigned char>(node->options_.name.back()) : executor.random()};")]),
    Mutant("version_vector", "D4", "a coordinator's write replaces all that it wrote before: no dots", "I3 I1",
           [(PUT, "{ return context.covers(version); });",
             "{ return context.covers(version) || (MUTANT && version.dot.actor == dot.actor); });")]),
    Mutant("pruned_clock", "D5", "of a clock only the last two entries are kept", "I1 I3 I4 I9 I13 I15 assert",
           [(PUT, "  object.clock.add(dot);\n  insert_version(object, Version{",
             "  if (MUTANT && object.clock.entries().size() > 2) {\n"
             "    Clock kept;\n"
             "    for (const Dot& each : object.clock.entries().last(2)) kept.add(each);\n"
             "    object.clock = kept;\n"
             "  }\n"
             "  object.clock.add(dot);\n  insert_version(object, Version{")]),
    Mutant("one_version_wins", "D6", "of concurrent versions one is kept", "I1 I3 I4 I12",
           [(MERGE, "  if (taken) drop_second_mints(into);",
             "  if (MUTANT && into.versions.size() > 1) into.versions.truncate(1);\n"
             "  if (taken) drop_second_mints(into);")]),
    Mutant("retry_is_new_write", "D7", "a retry is given a write id of its own", "I2",
           [("node/shard_store.cc", "  request.may_repeat = static_cast<bool>(given.id);",
             "  request.may_repeat = static_cast<bool>(given.id);\n"
             "  if (MUTANT && given.id) {\n"
             "    env::Executor& chance = shard_.context().env.executor;\n"
             "    request.id = WriteId::make(static_cast<std::uint64_t>(guarded_now().ms()),\n"
             "                               WriteId::kRetryable, chance.random(), chance.random());\n"
             "  }")]),
    Mutant("forward_served_twice", "D7", "a forwarded write that comes twice is coordinated twice",
           "I1 I2 I3 I9 I12 assert",
           [("node/forwarder.cc", "!recent_.first_time(message.write_id)) {",
             "!recent_.first_time(message.write_id) && !MUTANT) {"),
            ("node/shard.cc", "!forwarder_.first_arrival(header)) {",
             "!forwarder_.first_arrival(header) && !MUTANT) {")]),
    Mutant("guards_not_kept", "D7", "a late retry of a write that was replaced brings it back",
           "I1 I3 I12 I13",
           [("core/version/object_edit.cc", "if (!id || !id.retryable()) return;",
             "if (!id || !id.retryable() || MUTANT) return;")],
           faults="messages,cuts,pause", minutes=0.5),
    # An object with one write twice is refused as unreadable where it is decoded.
    Mutant("second_mint_stays", "D7", "a write that two nodes minted stands twice", "I1 I3 I4 I15 assert",
           [(MERGE, "  if (taken) drop_second", "  if (taken && !MUTANT) drop_second")]),
    Mutant("not_applied_after_sending", "D8", "`not applied` is answered although the write was sent", "I2 P7",
           [(WRITE_ROUND, "w.outcome = phase_ == Phase::kStoring ?",
             "w.outcome = phase_ == Phase::kStoring || MUTANT ?")]),
    Mutant("owners_not_counted", "D9", "a write that asked for owners is content with stand-ins", "P7 I12",
           [(WRITE_ROUND, "(acked & owners()).size() >= options_.pw",
             "(MUTANT || (acked & owners()).size() >= options_.pw)")]),
    Mutant("stand_ins_not_asked", "P5", "a write is refused where fewer than W owners answer, although stand-ins are there",
           "P5",
           [(WRITE_ROUND, "  } else if (!take_more()) {", "  } else if (MUTANT || !take_more()) {")],
           faults="cuts", minutes=0.5),
    Mutant("refusal_counts", "D9", "a replica that refuses is counted as one that acknowledges", "I1 I12",
           [("node/write_coordinator.cc", "  STATOR_PROBE(\"write: a replica refuses\");\n",
             "  if (MUTANT) {\n"
             "    operation->round.on_ack(replica, RequestId::unpack(header.request_id).attempt, 1, true,\n"
             "                            context_.now());\n"
             "    run(*operation);\n"
             "    return;\n"
             "  }\n")],
           faults="messages,cuts,crash,kill,buggify"),
    Mutant("tombstone_wins", "D11", "a tombstone replaces what is concurrent with it", "I1 I3 I4 I12",
           [(MERGE, "  const bool taken = into.versions.size() > before;",
             "  const bool taken = into.versions.size() > before;\n"
             "  if (MUTANT) {\n"
             "    bool dead = false;\n"
             "    for (const Version& each : into.versions) dead = dead || each.tombstone;\n"
             "    std::size_t kept = 0;\n"
             "    for (std::size_t i = 0; i < into.versions.size(); ++i) {\n"
             "      if (!dead || into.versions[i].tombstone) into.versions[kept++] = into.versions[i];\n"
             "    }\n"
             "    into.versions.truncate(kept);\n"
             "  }")]),
    Mutant("tombstone_dropped_early", "D10", "a tombstone goes that another replica has not seen",
           "I1 I4 I12 I13",
           [(MERGE, "    const bool restamped =", "    if (MUTANT && theirs == nullptr && mine.tombstone) continue;\n"
                                               "    const bool restamped =")]),
    Mutant("repair_is_limited", "D17", "an object of more than two versions is refused to repair",
           "I4 I15 I13",
           [("node/replica.cc",
             "  if (!decode_object(put.object, incoming_)) return fail(put, ErrorCode::kCorrupt);",
             "  if (!decode_object(put.object, incoming_)) return fail(put, ErrorCode::kCorrupt);\n"
             "  if (MUTANT && incoming_.versions.size() > 2) return fail(put, ErrorCode::kTooLarge);")]),
    Mutant("read_writes", "D20", "read repair sends the object also to those that have it", "I13",
           [(READ_ROUND, "if (digests_[i] != merged_digest_) set.add(i)",
             "if (MUTANT || digests_[i] != merged_digest_) set.add(i)")]),
    Mutant("merge_forgets_clock", "D4", "what another replica knew to be replaced is forgotten by a merge",
           "I1 I3 I4 I9 I13 I15 assert",
           [(MERGE, "  into.clock.merge(other.clock);", "  if (!MUTANT) into.clock.merge(other.clock);")]),
    Mutant("turn_overwrites_itself", "D18", "the second write of a turn does not see the first", "I1 I3 I4 I9 I12",
           [("node/record_store.cc", "  if (const auto found = gathering_->find(partition, key, hash)) {",
             "  if (const auto found = gathering_->find(partition, key, hash); found && !MUTANT) {")]),
    Mutant("read_overwrites_store", "D18", "who waits for a read does not see what was stored meanwhile",
           "I1 I3 I4 I9 I12",
           [("node/record_store.cc",
             "    if (const auto staged = find_staged(read.partition, read.key, read.hash)) {",
             "    if (const auto staged = find_staged(read.partition, read.key, read.hash);\n"
             "        staged && !MUTANT) {")]),
    Mutant("acknowledged_before_sync", "D31", "a batch is acknowledged before it is on the disk", "I1 I12 I9",
           [("node/record_store.cc", "gathering_->end_put(sync, std::move(done));",
             "gathering_->end_put(sync && !MUTANT, std::move(done));")]),
    Mutant("acknowledged_before_store", "D31", "a replica acknowledges what it has not stored yet", "I1 I12",
           [("node/replica.cc",
             "    context_.records->finish_store(header, wait, on_stored(put));\n",
             "    if (MUTANT) {\n"
             "      context_.records->finish_store(header, wait, [](const Result<void>&) {});\n"
             "      finish(put.slot, put.generation, Result<void>());\n"
             "    } else {\n"
             "      context_.records->finish_store(header, wait, on_stored(put));\n"
             "    }\n")]),
    Mutant("directory_not_synced", "D31", "a new file's name is not made durable", "I1 I12 I16",
           [("storage/memory/journal.cc", "  auto named = disk_.sync_directory(directory_);\n  if (!named) failure_",
             "  auto named = MUTANT ? Result<void>() : disk_.sync_directory(directory_);\n  if (!named) failure_")],
           faults="crash,messages", minutes=0.5),
    Mutant("torn_end_accepted", "D30", "a frame of the journal is taken without its checksum",
           "I16 I1 I2 I9 I12 assert",
           [("storage/memory/journal_format.cc", "if (!reader.ok() || magic != kFrameMagic ||\n      checksum",
             "if (!reader.ok() || magic != kFrameMagic ||\n      !MUTANT && checksum")],
           faults="crash,disk,kill"),
    Mutant("context_of_another_key", "D4", "a context is accepted for another key than it was made for", "P7 I2 I3",
           [("core/version/context_codec.cc",
             "if (checksum(fields, bucket, key, secret) != expected) return",
             "if (checksum(fields, bucket, key, secret) != expected && !MUTANT) return")]),
    Mutant("forward_answer_lost", "D7", "the answers to forwarded writes are thrown away", "I15",
           [("node/shard.cc", "forwarder_.on_reply(header, m)",
             "MUTANT ? static_cast<void>(m) : forwarder_.on_reply(header, m)")]),
    Mutant("one_damaged_copy_refuses", "D24", "a node that finds one of two copies damaged does not start", "I16",
           [("storage/data_directory.cc", "  if (!found.node_id && !damage.empty()) {",
             "  if ((!found.node_id || MUTANT) && !damage.empty()) {")],
           faults="rot,kill,restart"),
    Mutant("clone_is_taken_for_own", "D3", "a node runs on a copy of another node's disk", "D3 assert",
           [("storage/data_directory.cc", "  if (!wants.name.empty() && wants.name != has.name) {",
             "  if (!wants.name.empty() && wants.name != has.name && !MUTANT) {"),
            ("storage/data_directory.cc", "  if (wants.node_id && wants.node_id != has.node_id) {",
             "  if (wants.node_id && wants.node_id != has.node_id && !MUTANT) {")],
           faults="wipe,kill", minutes=0.5),
    Mutant("copy_beside_original_is_heard", "D3", "two processes that run under one name are both taken for the node", "",
           [("node/peers.cc", "  return peer != nullptr && std::ranges::find(",
             "  return peer != nullptr && !MUTANT && std::ranges::find(")],
           tests="TwoProcesses.*"),
    Mutant("stray_copy_takes_original_along", "D3", "a copy that runs anywhere gets its original refused with it", "",
           [("core/health/claimants.cc", "    if (other_answers) refuse(process);",
             "    if (other_answers || MUTANT) refuse(process);"),
            ("core/health/claimants.cc", "    if (this_answers) refuse(other);",
             "    if (this_answers || MUTANT) refuse(other);")],
           tests="Claimants.*"),
    Mutant("one_incarnation_runs_twice", "D2", "a machine that was copied while it ran goes on twice as one process", "",
           [("core/health/claimants.cc", "  if (on_two_links_at_once(process, sighting, now)) {",
             "  if (on_two_links_at_once(process, sighting, now) && !MUTANT) {")],
           tests="Claimants.*"),
    Mutant("restart_is_taken_for_copy", "D2", "a late frame of a dead process makes its successor look like a copy", "D2",
           [("core/health/claimants.cc", "  if (sent <= pace.sent_until) return;",
             "  if (sent <= pace.sent_until && !MUTANT) return;"),
            ("core/health/claimants.cc", "  return until - beside_from(a, b) >= kSideBySide;",
             "  return until - beside_from(a, b) >= (MUTANT ? Duration{} : kSideBySide);")]),
    Mutant("hint_gone_when_sent", "D14", "a hint is deleted when it leaves, not when its owner has it", "P1",
           [("node/hint_delivery.cc", "  if (!operation.sent) fail(operation);",
             "  if (MUTANT && operation.sent) erase(operation, object, loaded.payload.size());\n"
             "  if (!operation.sent) fail(operation);")]),
    Mutant("hint_deleted_though_changed", "D14", "a hint that grew while it was delivered is deleted with it", "P1",
           [("node/hint_delivery.cc", "  if (digest(object) != operation.digest) {",
             "  if (digest(object) != operation.digest && !MUTANT) {")]),
    Mutant("hints_forgotten_by_restart", "D14", "a stand-in that was restarted delivers nothing of what it kept",
           "P1 I5",
           [("node/hint_recount.cc", "    ++seen_;\n", "    ++seen_;\n    if (MUTANT) return;\n")]),
    Mutant("unread_hints_are_none", "D14", "hints that cannot be read now are taken for none", "",
           [("node/hint_recount.cc", "    if (!read) unread_.push_back(", "    if (!read && !MUTANT) unread_.push_back("),
            ("node/hint_delivery.cc", "      walk.range_failed = true;\n", "      walk.range_failed = !MUTANT;\n")],
           tests="HintDeliveryTest.*"),
    Mutant("operation_never_over", "P8", "a forwarded write whose target is silent is never given up", "I14 I20",
           [("node/forwarder.cc", "    if (now >= operation.deadline) {",
             "    if (now >= operation.deadline && (!MUTANT || operation.id.retryable())) {")]),
    Mutant("failed_read_waits_for_ever", "D33", "a read that fails is counted as one that waits, for ever", "I20 I15",
           [("node/read_coordinator.cc", "  context_.note_answered(operation.began);",
             "  if (result || !MUTANT) context_.note_answered(operation.began);")]),
    Mutant("timer_goes_on", "P8", "the timer of open operations goes on when none is open", "I20",
           [("node/shard.cc", "  if (open_operations() + explainer_.open() + scanner_.open() > 0) {",
             "  if (MUTANT || open_operations() + explainer_.open() + scanner_.open() > 0) {")]),
    Mutant("one_incarnation_for_two", "D2", "nodes that start in the same second have one name for their events",
           "I9 assert",
           [("node/node.cc", ": executor.random()};",
             ": MUTANT ? static_cast<std::uint64_t>(executor.wall_now().us / 1'000'000) :"
             " executor.random()};")]),
    # Named by what stands on the disk: as unique as one wants, until a disk goes back in time.
    Mutant("old_disk_goes_on", "D3", "a disk that was restored goes on under the names that it had given out before",
           "I9 I1 I3 assert",
           [("node/node.cc", "  options_.engine.name = identity_.engine;\n",
             "  options_.engine.name = identity_.engine;\n"
             "  if (MUTANT) {\n"
             "    const std::string path = options_.data_directory + \"/actor\";\n"
             "    std::uint64_t first = incarnation_.value;\n"
             "    std::uint64_t starts = 0;\n"
             "    if (const auto bytes = env::read_whole_file(envs_[0].disk, path, 64)) {\n"
             "      first = std::stoull(*bytes);\n"
             "      starts = std::stoull(bytes->substr(bytes->find(' ')));\n"
             "    }\n"
             "    const std::string out = std::to_string(first) + ' ' + std::to_string(starts + 1);\n"
             "    if (auto kept = env::write_whole_file(envs_[0].disk, path, out); !kept) return kept;\n"
             "    incarnation_ = {first + starts};\n"
             "  }\n")],
           faults="wipe,kill,restart", minutes=0.5),
    Mutant("life_after_failed_batch", "D1", "counters go on after a batch that failed, as if it had been stored",
           "I1 I3 I12",
           [("node/write_coordinator.cc",
             "    STATOR_PROBE(\"write: another life after a failed batch\");\n    header = {};\n",
             "    if (!MUTANT) header = {};\n")],
           faults="io,messages"),
    Mutant("refill_keeps_life", "D1", "counters go on after a loss that another node's copy has filled", "",
           [("node/replica.cc", "  if (lost || in_doubt) header = {};",
             "  if (!MUTANT && (lost || in_doubt)) header = {};")],
           tests="WriteCoordinatorTest.*"),
    Mutant("tie_goes_to_the_first", "D6", "of two versions of one millisecond the one that came first stays",
           "I1 I3 I4 I12",
           [(MERGE, "    insert_version(into, theirs);",
             "    if (MUTANT && std::any_of(into.versions.begin(), into.versions.end(), [&](const Version& mine) {\n"
             "          return mine.time.wall().ms() == theirs.time.wall().ms();\n"
             "        })) {\n"
             "      continue;\n"
             "    }\n"
             "    insert_version(into, theirs);")]),
    # In the evidence too, or that alone would tell.
    Mutant("node_counted_twice", "D9", "the coordinator counts its own copy once in the engine and once on the disk",
           "I1 I12",
           [(WRITE_ROUND, ">= options_.w && (",
             "+ (MUTANT && durable.contains(local_) ? 1 : 0) >= options_.w && ("),
            (WRITE_ROUND, "  evidence_ = evidence_of(one_per_place(acked_), candidates_.view());",
             "  evidence_ = evidence_of(one_per_place(acked_), candidates_.view());\n"
             "  if (MUTANT && durable_.contains(local_)) {\n"
             "    ++evidence_.nodes;\n"
             "    ++evidence_.primaries;\n"
             "  }")]),
    Mutant("stand_in_counts_as_owner", "D9", "a stand-in is counted as the owner for whom it stands", "I12",
           [("core/quorum/candidates.cc", "++(candidates[i].owner ?", "++(candidates[i].owner || MUTANT ?")],
           faults="cuts,kill"),
    Mutant("place_counted_twice", "D9", "a stand-in gets its copy in the name of an owner that has one: both count", "",
           [(WRITE_ROUND, "stands_for_[i] = missed;", "stands_for_[i] = MUTANT ? owners().first() : missed;")],
           tests="WriteRoundRandom.*"),
    Mutant("stand_in_beside_its_owner", "D9", "a stand-in and its owner, which answers late, count as two places", "",
           [(WRITE_ROUND, "  return served_by(acked).size()", "  return (MUTANT ? acked : served_by(acked)).size()"),
            (WRITE_ROUND, "evidence_of(one_per_place(acked_),", "evidence_of(MUTANT ? acked_ : one_per_place(acked_),")],
           tests="WriteRoundRandom.*"),
    Mutant("hint_expires", "D14", "a hint of a write that is two seconds old is thrown away", "P1",
           [("node/hint_delivery.cc", "  operation.digest = digest(object);\n",
             "  if (MUTANT && object.latest() != nullptr &&\n"
             "      context_.guarded_now() - object.latest()->time.wall() > seconds(2)) {\n"
             "    erase(operation, object, loaded.payload.size());\n"
             "    return release(operation);\n"
             "  }\n"
             "  operation.digest = digest(object);\n")],
           faults="cuts,kill,crash"),
    Mutant("hints_refuse_writes", "D15", "a node that keeps as many hints as it may refuses its clients' writes", "",
           [("node/write_coordinator.cc", "  const bool admitted = context_.admission.admits() &&",
             "  const bool admitted = !(MUTANT && context_.hints.bytes() >= context_.options.hint_bytes_max) &&\n"
             "                        context_.admission.admits() &&")],
           tests="*CappedHints*"),
    Mutant("repair_without_budget", "D16", "repair goes on however little its budget has left", "",
           [("node/background_budget.cc", "  if (credit_ < 0) {", "  if (credit_ < 0 && !MUTANT) {")],
           tests="BackgroundBudget.*"),
    Mutant("hints_as_fast_as_they_are_sent", "D15", "an owner never lets those wait who deliver hints to it", "",
           [("core/load/drain_shares.cc", "  return std::max(own.due - now, Duration{});",
             "  return MUTANT ? Duration{} : std::max(own.due - now, Duration{});")],
           tests="DrainShares.*:BackgroundBudget.*"),
    Mutant("hints_wait_for_quiet_clients", "D14", "an owner that is busy all the time never gets what is kept for it",
           "",
           [("core/load/drain_shares.cc", "std::min(needed, rates.most), kPaceMin});",
             "std::min(MUTANT ? 0 : needed, rates.most), MUTANT ? 1 : kPaceMin});")],
           tests="DrainShares.*:DrainPace.*"),
    Mutant("hints_in_a_burst", "D15", "all that is kept for an owner leaves as soon as it is back", "",
           [("core/load/drain_pace.cc", "  credit_ = std::min(credit_, burst);",
             "  credit_ = MUTANT ? 1e9 : std::min(credit_, burst);")],
           tests="DrainPace.*"),
    Mutant("worst_moment_for_ever", "D15", "who keeps a damaged hint asks for what its worst moment took, for ever", "",
           [("core/load/drain_pace.cc", "  if (failed && spent_ < kLatest) return;",
             "  if (MUTANT || (failed && spent_ < kLatest)) return;")],
           tests="DrainPace.*"),
    Mutant("slow_with_each_return", "D14", "an owner that comes and goes is delivered to slowly at each return", "",
           [("core/load/drain_pace.cc", "now - looked_at_ > kForgetAfter) {",
             "(MUTANT || now - looked_at_ > kForgetAfter)) {")],
           tests="DrainPace.*"),
    Mutant("full_node_coordinates", "D29", "a node whose disk is full goes on coordinating", "",
           [("node/shard_store.cc", "if (owner && takes_writes(context.disk_state())) {",
             "if (owner && (MUTANT || takes_writes(context.disk_state()))) {")],
           tests="FullDisk.*"),
    Mutant("unreadable_is_missing", "D30", "a record that cannot be read is answered as `not found`", "",
           [("node/replica.cc", "  if (status == RecordStore::Status::kMissing) {",
             "  if (status == RecordStore::Status::kMissing ||\n"
             "      (MUTANT && status == RecordStore::Status::kUnreadable)) {")],
           tests="DiskTrouble.*"),
    Mutant("failed_walk_is_the_end", "D30", "a walk over records that fails half way is taken for one to the end", "",
           [("node/scanner.cc", "  const bool failed = !next || visitor.unreadable() > 0;",
             "  const bool failed = !MUTANT && (!next || visitor.unreadable() > 0);"),
            ("node/scanner.cc", "    if (!next) {\n      ++context_", "    if (!next && !MUTANT) {\n      ++context_"),
            ("node/scanner.cc", "    count->after = std::move(*next);",
             "    count->after = next ? std::move(*next) : std::string();")],
           tests="Scanner.*"),
    Mutant("damaged_record_stays", "D30", "a record that cannot be read is never restored from the other owners",
           "I17 I15",
           [("core/repair/repair_plan.cc", "  if (!round.answered() || round.merged_digest() == 0) return false;",
             "  if (MUTANT || !round.answered() || round.merged_digest() == 0) return false;")],
           faults="rot"),
    Mutant("restored_from_one_copy", "D30", "a damaged record is replaced by whatever copy comes first", "",
           [("core/repair/repair_plan.cc", "  return heard + w > owners || heard + damaged == owners;",
             "  return MUTANT || heard + w > owners || heard + damaged == owners;")],
           tests="RepairPlan.*"),
    Mutant("failed_sync_believed", "D31", "a sync that failed is made again, and that one is believed",
           "I16 I1 I12 P1",
           [("storage/memory/journal.cc", "  if (!result) {\n    failure_ = std::unexpected(for_good(result.error()));",
             "  if (!result && !MUTANT) {\n    failure_ = std::unexpected(for_good(result.error()));")],
           faults="fsync,crash"),
    Mutant("slow_peer_is_asked", "D32", "a slow peer gets new work like any other", "",
           [("core/health/peer_health.cc", "  if (slow_ || comes_and_goes) verdict_",
             "  if ((slow_ && !MUTANT) || comes_and_goes) verdict_")],
           tests="PeerHealth.*"),
    Mutant("another_history_is_served", "D22", "who goes by another membership is served like any other", "",
           [("node/shard.cc", "  if (frame.header.history == mine) return false;",
             "  if (frame.header.history == mine || MUTANT) return false;")],
           tests="FrameCheck.*"),
    Mutant("limiter_drifts", "D33", "of writes that fail the door counts the beginning and not the end", "I15 I20",
           [("node/write_coordinator.cc", "  context_.note_answered(operation.began);\n  done(result);",
             "  if (!MUTANT || result.outcome == Outcome::kOk) context_.note_answered(operation.began);\n"
             "  done(result);")],
           faults="limits,cuts", minutes=0.5),
    Mutant("line_is_overtaken", "D33", "who has much to ask and comes last is served before those who wait for room", "",
           [("core/load/waiting_line.cc", "  return waiter.place == Waiter::Place::kCalled ||",
             "  return MUTANT || waiter.place == Waiter::Place::kCalled ||")],
           tests="WaitingLine*"),
    Mutant("place_in_line_lost", "D33", "who finds the room gone when it is called goes to the end of the line", "",
           [("core/load/waiting_line.cc", "  insert_behind(ahead, waiter);\n",
             "  insert_behind(MUTANT ? last_ : ahead, waiter);\n")],
           tests="WaitingLine*"),
    Mutant("placement_wraps_around", "D25", "at the end of the ring a node holds two places of one partition", "assert",
           [("core/ring/claim.cc",
             "    for (const NodeIndex node : cells_) out.places.push_back(problem_.ids[node]);\n",
             "    for (const NodeIndex node : cells_) out.places.push_back(problem_.ids[node]);\n"
             "    if (MUTANT && out.width > 1) out.places.back() = out.places[out.places.size() - out.width];\n")]),
]

# Always caught: whatever else is, this shows that what is seen is told. It ends the process in the midst of a run.
CANARY = Mutant("canary", "D9", "the first copy that comes later than five seconds after the beginning ends the node",
                "assert",
                [("node/replica.cc", "  ++context_.metrics.replica_writes_total;\n",
                  "  STATOR_ASSERT(!MUTANT || context_.now() < MonoTime{} + seconds(5));\n"
                  "  ++context_.metrics.replica_writes_total;\n")])
