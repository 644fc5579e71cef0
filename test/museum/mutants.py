"""The bug museum: bugs that stores of this family have had, each put back on purpose, to be caught by the
simulator (G7). A mutant is a name, the rule that it breaks, invariants of which one must be seen to break
("assert" is an assertion that fails), and edits: in a file of src, a text that stands there once, and what
stands there in the museum's build. In it MUTANT is true in the run that asks for this mutant, so that all
live in one program.
"""

from dataclasses import dataclass


@dataclass
class Mutant:
    name: str
    rule: str
    what: str
    breaks: str
    edits: list  # (file, text, text of the museum)
    faults: str = "all"
    minutes: float = 0.25


WRITE_ROUND, READ_ROUND = "core/quorum/write_round.cc", "core/quorum/read_round.cc"
MERGE, PUT = "core/version/merge.cc", "core/version/put.cc"

MUTANTS = [
    Mutant("write_quorum", "D9", "one acknowledgement too few is enough for a write", "I1 I12 P7",
           [(WRITE_ROUND, "acked.size() >= options_.w", "acked.size() + (MUTANT ? 1 : 0) >= options_.w")]),
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
             "    context_.records->finish_store(header, put.sync, on_stored(put));\n",
             "    if (MUTANT) {\n"
             "      context_.records->finish_store(header, put.sync, [](const Result<void>&) {});\n"
             "      finish(put.slot, put.generation, Result<void>());\n"
             "    } else {\n"
             "      context_.records->finish_store(header, put.sync, on_stored(put));\n"
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
    Mutant("hint_gone_when_sent", "D14", "a hint is deleted when it leaves, not when its owner has it", "P1",
           [("node/hint_delivery.cc", "  if (!operation.sent) release(operation, kAfterFailure);",
             "  if (MUTANT && operation.sent) erase(operation, object, loaded.payload.size());\n"
             "  if (!operation.sent) release(operation, kAfterFailure);")]),
    Mutant("hint_deleted_though_changed", "D14", "a hint that grew while it was delivered is deleted with it", "P1",
           [("node/hint_delivery.cc", "  if (digest(object) != operation.digest) {",
             "  if (digest(object) != operation.digest && !MUTANT) {")]),
    Mutant("hints_forgotten_by_restart", "D14", "a stand-in that was restarted delivers nothing of what it kept",
           "P1 I5",
           [("node/hint_recount.cc", "    ++seen_;\n", "    ++seen_;\n    if (MUTANT) return;\n")]),
    Mutant("operation_never_over", "P8", "a forwarded write whose target is silent is never given up", "I14 I20",
           [("node/forwarder.cc", "    if (now >= operation.deadline) {",
             "    if (now >= operation.deadline && (!MUTANT || operation.id.retryable())) {")]),
    Mutant("limiter_drifts", "D33", "a read that fails is counted as one that waits, for ever", "I20 I15",
           [("node/read_coordinator.cc", "  context_.note_answered(operation.began);",
             "  if (result || !MUTANT) context_.note_answered(operation.began);")]),
    Mutant("timer_goes_on", "P8", "the timer of open operations goes on when none is open", "I20",
           [("node/shard.cc", "  if (open_operations() + explainer_.open() + scanner_.open() > 0) {",
             "  if (MUTANT || open_operations() + explainer_.open() + scanner_.open() > 0) {")]),
]
