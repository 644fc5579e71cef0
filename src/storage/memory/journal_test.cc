#include "storage/memory/journal.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "storage/testing/fake_disk.h"

namespace stator::storage::memory {
namespace {

constexpr std::uint64_t kSeed = 99;
const std::string kDirectory = "data/engine";
constexpr PartitionId kPlace{3};

/// A store as small as can be.
class Owner final : public JournalOwner, public ChangeSink {
 public:
  ChangeSink& begin_replay(std::uint64_t seed_found) override {
    seed = seed_found;
    return *this;
  }
  void put(PartitionId partition, std::string_view key, std::string_view value) override {
    content[partition.value][std::string(key)] = std::string(value);
  }
  void erase(PartitionId partition, std::string_view key) override {
    content[partition.value].erase(std::string(key));
  }
  void drop(PartitionId partition) override { content.erase(partition.value); }
  void write_all(ChangeSink& sink) override {
    for (const auto& [partition, keys] : content) {
      for (const auto& [key, value] : keys) sink.put(PartitionId{partition}, key, value);
    }
  }
  [[nodiscard]] std::uint64_t live_bytes() const override {
    std::uint64_t bytes = 0;
    for (const auto& [partition, keys] : content) {
      for (const auto& [key, value] : keys) bytes += key.size() + value.size() + kPutOverheadMax;
    }
    return bytes;
  }
  void on_journal_progress() override { ++progress; }

  std::uint64_t seed = 0;
  std::map<std::uint32_t, std::map<std::string, std::string>> content;
  int progress = 0;
};

struct Opened {
  std::unique_ptr<Owner> owner = std::make_unique<Owner>();
  Result<std::shared_ptr<Journal>> journal = std::unexpected(Error{});
};

Opened open_on(env::Disk& disk, std::uint64_t seed = kSeed, env::Buggify* rare = nullptr) {
  Opened opened;
  opened.journal = Journal::open(disk, kDirectory, seed, *opened.owner, rare);
  return opened;
}

/// What is there after a loss of power is what was put. Ends the journal.
void expect_kept(Opened& store, testing::FakeDisk& disk) {
  store.journal->reset();
  disk.crash();
  const Opened again = open_on(disk);
  ASSERT_TRUE(again.journal);
  EXPECT_EQ(again.owner->content, store.owner->content);
}

/// Takes the rare way wherever there is one.
class Always final : public env::Buggify {
 public:
  [[nodiscard]] bool strikes(env::BuggifyPoint) override { return true; }
};

Result<void> put(Opened& store, const std::string& key, const std::string& value) {
  WriteBatch batch;
  batch.put(kPlace, key, value);
  const auto appended = (*store.journal)->append(batch);
  if (appended) store.owner->put(kPlace, key, value);
  return appended;
}

std::string& only_file(testing::FakeDisk& disk) {
  EXPECT_EQ(disk.files().size(), 1U);
  return disk.files().begin()->second->bytes;
}

/// A journal of eight one-key batches, and its size after each.
std::vector<std::size_t> write_eight(testing::FakeDisk& disk, bool sync_each) {
  Opened store = open_on(disk);
  std::vector<std::size_t> ends{only_file(disk).size()};
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(
        put(store, "key" + std::to_string(i), std::string(static_cast<std::size_t>(i), 'v')));
    if (sync_each) (*store.journal)->sync();
    ends.push_back(only_file(disk).size());
  }
  return ends;
}

/// A store of one put, whose sync fails with `code`; the disk syncs again afterwards.
Opened open_and_fail_a_sync(testing::FakeDisk& disk, ErrorCode code) {
  disk.hold_syncs = true;
  Opened store = open_on(disk);
  EXPECT_TRUE(put(store, "a", "1"));
  (*store.journal)->sync();
  disk.syncs_fail = code;
  disk.complete_syncs();
  disk.syncs_fail.reset();
  return store;
}

TEST(Journal, BringsBackWhatWasAppended) {
  testing::FakeDisk disk;
  {
    Opened store = open_on(disk);
    ASSERT_TRUE(put(store, "a", "1"));
    ASSERT_TRUE(put(store, "b", ""));
    ASSERT_TRUE(put(store, std::string("\0c", 2), "3"));
    WriteBatch batch;
    batch.erase(kPlace, "a");
    batch.put(PartitionId{65535}, "z", "26");
    batch.put(PartitionId{4}, "gone", "x");
    ASSERT_TRUE((*store.journal)->append(batch));
    ASSERT_TRUE((*store.journal)->append_drop(PartitionId{4}));
  }
  disk.kill();
  const Opened store = open_on(disk, kSeed + 1);
  ASSERT_TRUE(store.journal);
  EXPECT_EQ(store.owner->seed, kSeed);
  const std::map<std::uint32_t, std::map<std::string, std::string>> expected{
      {3, {{"b", ""}, {std::string("\0c", 2), "3"}}}, {65535, {{"z", "26"}}}};
  EXPECT_EQ(store.owner->content, expected);
}

TEST(Journal, EveryCutLeavesThePrefixOfWholeBatches) {
  testing::FakeDisk disk;
  const std::vector<std::size_t> ends = write_eight(disk, true);
  const std::string whole = only_file(disk);
  for (std::size_t size = ends[0]; size <= whole.size(); ++size) {
    disk.kill();
    only_file(disk) = whole.substr(0, size);
    Opened store = open_on(disk);
    ASSERT_TRUE(store.journal) << size;
    std::size_t batches = 0;
    while (batches < 8 && ends[batches + 1] <= size) ++batches;
    ASSERT_EQ(store.owner->content[3].size(), batches) << size;
    // It goes on behind the cut.
    ASSERT_EQ(only_file(disk).size(), ends[batches]);
    ASSERT_TRUE(put(store, "more", "m"));
    store.journal->reset();
    disk.kill();
    const Opened again = open_on(disk);
    ASSERT_TRUE(again.journal);
    ASSERT_EQ(again.owner->content[3].size(), batches + 1);
  }
}

TEST(Journal, EveryFlippedBitInFrontOfAcknowledgedWritesIsCorrupt) {
  testing::FakeDisk disk;
  const std::vector<std::size_t> ends = write_eight(disk, true);
  const std::string whole = only_file(disk);
  // The last frame knows that everything in front of its predecessor's end was durable.
  for (std::size_t at = 0; at < ends[7]; ++at) {
    disk.kill();
    only_file(disk) = whole;
    only_file(disk)[at] = static_cast<char>(whole[at] ^ (1 << (at % 8)));
    const std::string damaged = only_file(disk);
    const Opened store = open_on(disk);
    ASSERT_FALSE(store.journal) << at;
    EXPECT_EQ(store.journal.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(store.journal.error().detail.find("data/engine/journal-1"), std::string::npos);
    EXPECT_EQ(only_file(disk), damaged);  // nothing is made worse
  }
  for (std::size_t at = ends[7]; at < ends[8]; ++at) {  // like a torn tail
    disk.kill();
    only_file(disk) = whole;
    only_file(disk)[at] = static_cast<char>(whole[at] ^ (1 << (at % 8)));
    const Opened store = open_on(disk);
    ASSERT_TRUE(store.journal) << at;
    EXPECT_EQ(store.owner->content.at(3).size(), 7U);
  }
}

TEST(Journal, AHoleAmongWritesThatWereNeverSyncedIsATornTail) {
  testing::FakeDisk disk;
  const std::vector<std::size_t> ends = write_eight(disk, false);
  only_file(disk)[ends[3] + 5] ^= 1;  // the later batches reached the disk, this one did not
  disk.kill();
  const Opened store = open_on(disk);
  ASSERT_TRUE(store.journal);
  EXPECT_EQ(store.owner->content.at(3).size(), 3U);
  EXPECT_EQ(only_file(disk).size(), ends[3]);
}

TEST(Journal, AMarkLetsLaterDamageOfTheLastWriteBeNoticed) {
  testing::FakeDisk disk;
  {
    Opened store = open_on(disk);
    ASSERT_TRUE(put(store, "key", "value"));
    (*store.journal)->sync();
    ASSERT_TRUE((*store.journal)->append_mark());
  }
  only_file(disk)[kJournalHeaderSize + 30] ^= 1;
  disk.kill();
  EXPECT_EQ(open_on(disk).journal.error().code, ErrorCode::kCorrupt);
}

TEST(Journal, WhatClientsStoreNeverPassesForAFrame) {
  testing::FakeDisk disk;
  write_eight(disk, true);
  const std::string frames = only_file(disk).substr(kJournalHeaderSize);
  testing::FakeDisk victim;
  {
    Opened store = open_on(victim, kSeed + 1);
    ASSERT_TRUE(put(store, "a", "1"));
    ASSERT_TRUE(put(store, "copy", frames));
  }
  only_file(victim)[kJournalHeaderSize + 25] ^= 1;  // so that a replay searches what follows
  victim.kill();
  const Opened store = open_on(victim);
  ASSERT_TRUE(store.journal);
  EXPECT_TRUE(store.owner->content.empty());
}

TEST(Journal, OneSyncCoversEverythingThatGatheredMeanwhile) {
  testing::FakeDisk disk;
  disk.hold_syncs = true;
  Opened store = open_on(disk);
  Journal& journal = **store.journal;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(put(store, "key" + std::to_string(i), "v"));
    journal.sync();
  }
  EXPECT_EQ(disk.syncs, 1);
  EXPECT_EQ(journal.durable(), 0U);
  disk.complete_syncs();
  EXPECT_EQ(disk.syncs, 2);
  EXPECT_GT(journal.durable(), 0U);
  EXPECT_LT(journal.durable(), journal.appended());
  disk.complete_syncs();
  EXPECT_EQ(disk.syncs, 2);
  EXPECT_EQ(journal.durable(), journal.appended());
}

TEST(Journal, TakesNothingAfterAFailedSyncForGood) {
  testing::FakeDisk disk;
  Opened store = open_and_fail_a_sync(disk, ErrorCode::kIo);
  EXPECT_FALSE((*store.journal)->failure());
  EXPECT_GT(store.owner->progress, 0);
  EXPECT_EQ(put(store, "b", "2").error().code, ErrorCode::kIo);
  (*store.journal)->sync();
  EXPECT_EQ(disk.syncs, 1);
  EXPECT_EQ((*store.journal)->durable(), 0U);
}

// A full disk that fails a write passes; one that fails a sync leaves a file that nobody may
// believe.
TEST(Journal, ASyncThatFailsForLackOfRoomIsAFailedSync) {
  testing::FakeDisk disk;
  Opened store = open_and_fail_a_sync(disk, ErrorCode::kDiskFull);
  ASSERT_FALSE((*store.journal)->failure());
  EXPECT_EQ((*store.journal)->failure().error().code, ErrorCode::kIo);
  EXPECT_EQ(put(store, "b", "2").error().code, ErrorCode::kIo);
}

TEST(Journal, ANameThatCannotBeSyncedForLackOfRoomIsAFailedSyncToo) {
  testing::FakeDisk disk;
  Opened store = open_on(disk);
  disk.directory_syncs_fail = ErrorCode::kDiskFull;
  for (int i = 0; i < 40 && (*store.journal)->failure(); ++i) {
    ASSERT_TRUE(put(store, "key", std::string(60'000, 'v')));
    (*store.journal)->applied();
  }
  ASSERT_FALSE((*store.journal)->failure());
  EXPECT_EQ((*store.journal)->failure().error().code, ErrorCode::kIo);
}

TEST(Journal, AFullDiskFailsTheAppendAndNothingElse) {
  testing::FakeDisk disk;
  {
    Opened store = open_on(disk);
    ASSERT_TRUE(put(store, "a", "1"));
    disk.writes_fail = ErrorCode::kDiskFull;
    EXPECT_EQ(put(store, "b", std::string(300, '2')).error().code, ErrorCode::kDiskFull);
    disk.writes_fail.reset();
    ASSERT_TRUE(put(store, "c", "3"));
  }
  disk.kill();
  const Opened store = open_on(disk);
  ASSERT_TRUE(store.journal);
  const std::map<std::string, std::string> expected{{"a", "1"}, {"c", "3"}};
  EXPECT_EQ(store.owner->content.at(3), expected);
}

void overwrite_until_compacted(Opened& store, testing::FakeDisk& disk) {
  for (int i = 0; i < 40 && disk.files().contains("data/engine/journal-1"); ++i) {
    ASSERT_TRUE(put(store, "key" + std::to_string(i % 4),
                    std::string(60'000, static_cast<char>('a' + i % 26))));
    (*store.journal)->sync();
    (*store.journal)->applied();
  }
}

TEST(Journal, IsReplacedBySomethingSmallerWhenItHasGrown) {
  testing::FakeDisk disk;
  Opened store = open_on(disk);
  ASSERT_NO_FATAL_FAILURE(overwrite_until_compacted(store, disk));
  EXPECT_TRUE(disk.files().contains("data/engine/journal-2"));
  EXPECT_LT(only_file(disk).size(), 4 * 61'000U);
  ASSERT_TRUE(put(store, "after", "x"));
  (*store.journal)->sync();
  expect_kept(store, disk);
}

// What the simulator has it do now and then: frames in two pieces, a new file early, and that in
// small frames.
TEST(Journal, HoldsTheSameWhicheverWayItIsWritten) {
  testing::FakeDisk disk;
  Always rare;
  Opened store = open_on(disk, kSeed, &rare);
  for (int i = 0; i < 40 && disk.files().contains("data/engine/journal-1"); ++i) {
    ASSERT_TRUE(put(store, "key" + std::to_string(i % 4),
                    std::string(10'000, static_cast<char>('a' + i % 26))));
    (*store.journal)->sync();
    (*store.journal)->applied();
    ASSERT_LT(only_file(disk).size(), 200'000U) << "written anew long before a mebibyte";
  }
  EXPECT_TRUE(disk.files().contains("data/engine/journal-2"));
  // A cut between two of its frames: what stands in front of it is whole.
  const std::string whole = only_file(disk);
  ASSERT_NO_FATAL_FAILURE(expect_kept(store, disk));
  disk.kill();
  only_file(disk) = whole.substr(0, whole.size() - 1);
  const Opened torn = open_on(disk);
  ASSERT_TRUE(torn.journal);
  EXPECT_EQ(torn.owner->content[3].size(), 3U) << "of four frames the last is not whole";
}

// A failed write leaves the first piece behind the end: no half of a frame is ever replayed (I16).
TEST(Journal, OfAFrameInTwoPiecesNothingIsTakenWhereTheSecondFails) {
  testing::FakeDisk disk;
  Always rare;
  Opened store = open_on(disk, kSeed, &rare);
  ASSERT_TRUE(put(store, "a", "1"));
  disk.writes_fail = ErrorCode::kIo;
  disk.writes_spared = 1;
  EXPECT_FALSE(put(store, "b", std::string(500, 'b')));
  EXPECT_EQ(disk.writes_spared, 0);
  disk.writes_fail.reset();
  ASSERT_TRUE(put(store, "c", "3"));
  (*store.journal)->sync();
  expect_kept(store, disk);
}

void overwrite(Opened& store, testing::FakeDisk& disk, int times, std::uint64_t& largest) {
  for (int i = 0; i < times; ++i) {
    ASSERT_TRUE(put(store, "key" + std::to_string(i % 17), std::string(10'000, 'v')));
    (*store.journal)->sync();
    (*store.journal)->applied();
    disk.complete_syncs();
    largest = std::max(largest, (*store.journal)->file_bytes());
  }
}

TEST(Journal, StaysSmallWhileASyncIsUnderWayAtEveryChange) {
  testing::FakeDisk disk;
  disk.hold_syncs = true;
  Opened store = open_on(disk);
  std::uint64_t largest = 0;
  ASSERT_NO_FATAL_FAILURE(overwrite(store, disk, 2000, largest));
  EXPECT_GT(largest, 1'000'000U);
  EXPECT_LT(largest, (1U << 20) + 20'000) << "20 MB were written to 17 keys";
  EXPECT_EQ((*store.journal)->durable(), (*store.journal)->appended());
}

TEST(Journal, IsMeasuredAfterAStartByWhatLivesAndNotByItsFile) {
  testing::FakeDisk disk;
  std::uint64_t largest = 0;
  for (int start = 0; start < 10; ++start) {
    Opened store = open_on(disk);
    ASSERT_TRUE(store.journal);
    ASSERT_NO_FATAL_FAILURE(overwrite(store, disk, 95, largest));
    store.journal->reset();
    disk.kill();
  }
  EXPECT_LT(largest, (1U << 20) + 20'000);
}

TEST(Journal, IsLeftAloneWhileMostOfItLives) {
  testing::FakeDisk disk;
  Opened store = open_on(disk);
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(put(store, "key" + std::to_string(i), std::string(10'000, 'v')));
    (*store.journal)->applied();
  }
  EXPECT_TRUE(disk.files().contains("data/engine/journal-1")) << "3 MB, and nothing to leave out";
  ASSERT_TRUE((*store.journal)->append_drop(kPlace));
  store.owner->drop(kPlace);
  (*store.journal)->applied();
  EXPECT_EQ((*store.journal)->file_bytes(), kJournalHeaderSize);
}

TEST(Journal, OfTinyKeysIsNotWrittenAnewAtEveryChange) {
  testing::FakeDisk disk;
  Opened store = open_on(disk);
  const auto file_before = [&] { return disk.files().begin()->first; };
  for (int i = 0; i < 40'000; ++i) {
    ASSERT_TRUE(put(store, std::to_string(i), ""));
    if (i % 1000 == 0) (*store.journal)->applied();
  }
  (*store.journal)->applied();
  const std::string file = file_before();
  ASSERT_TRUE(put(store, "one more", ""));
  (*store.journal)->applied();
  EXPECT_EQ(file_before(), file);
}

TEST(Journal, CompactionMakesDurableWhatASyncUnderWayHadNotYet) {
  testing::FakeDisk disk;
  disk.hold_syncs = true;
  Opened store = open_on(disk);
  ASSERT_NO_FATAL_FAILURE(overwrite_until_compacted(store, disk));
  EXPECT_EQ((*store.journal)->durable(), (*store.journal)->appended());
  disk.crash();
  const Opened again = open_on(disk);
  ASSERT_TRUE(again.journal);
  EXPECT_EQ(again.owner->content, store.owner->content);
}

// I20: nobody needs the file that was replaced, not even for its sync.
TEST(Journal, HoldsOneFileOpenAlsoAfterItWasWrittenAnew) {
  testing::FakeDisk disk;
  disk.hold_syncs = true;
  Opened store = open_on(disk);
  EXPECT_EQ(disk.open_files(), 1U);
  ASSERT_NO_FATAL_FAILURE(overwrite_until_compacted(store, disk));
  EXPECT_EQ(disk.open_files(), 1U);
  disk.complete_syncs();
  ASSERT_TRUE(put(store, "more", "m"));
  (*store.journal)->sync();
  disk.complete_syncs();
  EXPECT_EQ((*store.journal)->durable(), (*store.journal)->appended());
  store.journal->reset();
  EXPECT_EQ(disk.open_files(), 0U);
}

TEST(Journal, GoesOnInTheOldFileWhenTheNewOneCannotBeWritten) {
  testing::FakeDisk disk;
  Opened store = open_on(disk);
  disk.renames_fail = ErrorCode::kDiskFull;
  ASSERT_NO_FATAL_FAILURE(overwrite_until_compacted(store, disk));
  EXPECT_TRUE(disk.files().contains("data/engine/journal-1"));
  EXPECT_TRUE((*store.journal)->failure());
  store.journal->reset();
  disk.crash();
  disk.renames_fail.reset();
  const Opened again = open_on(disk);
  ASSERT_TRUE(again.journal);
  EXPECT_EQ(again.owner->content, store.owner->content);
}

TEST(Journal, TakesNothingWhenItIsUnknownWhichFileACrashWouldLeave) {
  testing::FakeDisk disk;
  Opened store = open_on(disk);
  disk.directory_syncs_fail = ErrorCode::kIo;
  for (int i = 0; i < 40 && (*store.journal)->failure(); ++i) {
    ASSERT_TRUE(put(store, "key", std::string(60'000, 'v')));
    (*store.journal)->applied();
  }
  EXPECT_FALSE((*store.journal)->failure());
  EXPECT_LT((*store.journal)->durable(), (*store.journal)->appended());
  EXPECT_FALSE(put(store, "b", "2"));
  // Both are there, and both hold everything that was acknowledged.
  EXPECT_TRUE(disk.files().contains("data/engine/journal-1"));
  EXPECT_TRUE(disk.files().contains("data/engine/journal-2"));
}

// D31: no sync of a file is believed after one has failed, so its content moves.
TEST(Journal, IsWrittenAnewAtAStartWhereItsFileCannotBeSyncedAnyMore) {
  testing::FakeDisk disk;
  write_eight(disk, true);
  disk.kill();
  disk.files().begin()->second->sync_failed = true;
  {
    Opened store = open_on(disk, kSeed + 1);
    ASSERT_TRUE(store.journal);
    EXPECT_EQ(store.owner->seed, kSeed);
    EXPECT_EQ(store.owner->content.at(3).size(), 8U);
    EXPECT_EQ(disk.files().size(), 1U);
    EXPECT_TRUE(disk.files().contains("data/engine/journal-2"));
    ASSERT_TRUE(put(store, "more", "m"));
    (*store.journal)->sync();
    EXPECT_EQ((*store.journal)->durable(), (*store.journal)->appended());
  }
  disk.crash();
  const Opened again = open_on(disk);
  ASSERT_TRUE(again.journal);
  EXPECT_EQ(again.owner->content.at(3).size(), 9U);
}

// Its number says which file is older, and goes: a wrong one might take the only journal along.
TEST(Journal, UnderAnotherNumberIsRefusedAndLeftAlone) {
  for (const char* name : {"data/engine/journal-0", "data/engine/journal-7"}) {
    testing::FakeDisk disk;
    write_eight(disk, true);
    disk.kill();
    auto moved = disk.files().extract("data/engine/journal-1");
    moved.key() = name;
    disk.files().insert(std::move(moved));
    const auto opened = open_on(disk);
    ASSERT_FALSE(opened.journal);
    EXPECT_EQ(opened.journal.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(opened.journal.error().detail.find("journal-1"), std::string::npos);
    EXPECT_TRUE(disk.files().contains(name));
  }
}

TEST(Journal, DoesNotOpenWhileNothingCanBeSyncedAndOpensAfterwards) {
  testing::FakeDisk disk;
  write_eight(disk, true);
  disk.kill();
  disk.syncs_fail = ErrorCode::kIo;
  for (int start = 0; start < 3; ++start) {
    EXPECT_EQ(open_on(disk).journal.error().code, ErrorCode::kIo);
  }
  disk.syncs_fail.reset();
  const Opened store = open_on(disk);
  ASSERT_TRUE(store.journal);
  EXPECT_EQ(store.owner->content.at(3).size(), 8U);
}

TEST(Journal, ASecondProcessIsRefused) {
  testing::FakeDisk disk;
  const Opened first = open_on(disk);
  ASSERT_TRUE(first.journal);
  EXPECT_EQ(open_on(disk).journal.error().code, ErrorCode::kConflict);
}

TEST(Journal, ANewerFormatIsRefusedAndLeftAlone) {
  testing::FakeDisk disk;
  write_eight(disk, true);
  std::string header = "STATRJNL";
  append_u32(header, 2);
  append_u64(header, 1);
  append_u64(header, kSeed);
  append_u64(header, hash64(header));
  ASSERT_EQ(header.size(), kJournalHeaderSize);
  const std::string whole = header + only_file(disk).substr(header.size());
  disk.kill();
  only_file(disk) = whole;
  EXPECT_EQ(open_on(disk).journal.error().code, ErrorCode::kNotSupported);
  EXPECT_EQ(only_file(disk), whole);
}

}  // namespace
}  // namespace stator::storage::memory
