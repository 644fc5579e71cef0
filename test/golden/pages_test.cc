// What a node leaves on its disk, pinned: each example of docs/format is read by the code as the
// page says and written back to the same bytes. A directory that was written once must be read for
// ever, so an example changes only together with its format's version.

#include <gtest/gtest.h>

#include <iterator>

#include "base/bytes.h"
#include "base/hash.h"
#include "core/membership/history.h"
#include "core/ring/ring.h"
#include "hex.h"
#include "storage/data_directory.h"
#include "storage/memory/journal_format.h"
#include "storage/record.h"
#include "storage/rocksdb/rocksdb_store.h"
#include "storage/testing/fake_disk.h"

namespace stator {
namespace {

using golden::to_hex;

const std::filesystem::path kFormats = STATOR_FORMATS;

std::string example(const char* page, std::string_view heading) {
  const std::string bytes = golden::example_of(kFormats / page, heading);
  EXPECT_FALSE(bytes.empty()) << page << " has no example under '" << heading << "'";
  return bytes;
}

bool says(const char* page, const std::string& text) {
  std::ifstream in(kFormats / page);
  const std::string whole(std::istreambuf_iterator<char>(in), {});
  return whole.find(text) != std::string::npos;
}

std::string number(std::uint64_t value) {
  std::ostringstream out;
  out << std::hex;
  out.width(16);
  out.fill('0');
  out << value;
  return out.str();
}

Founding shop() {
  Founding founding;
  founding.cluster_id = "shop";
  founding.q = 16;
  founding.n = 2;
  founding.r = 1;
  founding.w = 2;
  founding.founders = {{.name = "ada", .peer_address = "ada:7381", .zone = "north"},
                       {.name = "bob", .peer_address = "bob:7381", .zone = "south"},
                       {.name = "cyd", .peer_address = "cyd:7381", .weight = 2}};
  EXPECT_TRUE(complete_founding(founding));
  return founding;
}

TEST(GoldenPages, TheHistoryFile) {
  const std::string file = example("history.md", "## Example");
  ByteReader reader(file);
  const std::uint64_t checksum = reader.u64();
  const std::string_view bytes = reader.rest();
  EXPECT_EQ(number(checksum), number(hash64(bytes)));
  const auto history = History::decode(bytes);
  ASSERT_TRUE(history) << to_string(history.error().code) << " " << history.error().detail;
  EXPECT_EQ(history->founding(), shop());
  std::string again;
  history->encode(again);
  EXPECT_EQ(to_hex(again), to_hex(bytes));
}

TEST(GoldenPages, AFoundingIsEncodedAsTheExample) {
  std::string body;
  History::found(shop()).encode(body);
  std::string file;
  append_u64(file, hash64(body));
  file += body;
  EXPECT_EQ(to_hex(file), to_hex(example("history.md", "## Example")));
}

// Nodes of two builds must agree on both, or they refuse each other's frames, or look for a key on
// different nodes.
TEST(GoldenPages, VersionAndRingOfTheExamplesHistory) {
  const History history = History::found(shop());
  const std::string version = number(history.version().value);
  EXPECT_TRUE(says("history.md", version)) << version;
  std::vector<RingMember> members;
  for (const Member& m : history.members()) members.push_back({m.id, m.name, m.zone, m.weight});
  const Ring ring(history.founding().q, history.founding().n, std::move(members));
  const std::string digest = number(ring.digest().high) + number(ring.digest().low);
  EXPECT_TRUE(says("history.md", digest)) << digest;
}

const storage::NodeIdentity kIdentity{
    .cluster_id = "shop", .node_id = {0x1122334455667788}, .name = "ada", .engine = "rocksdb"};

TEST(GoldenPages, TheIdentityFile) {
  const std::string bytes = example("data-directory.md", "### Example of an identity");
  {
    storage::testing::FakeDisk disk;
    const auto made = storage::open_data_directory(
        disk, {.path = "data", .identity = kIdentity, .new_engine = {}});
    ASSERT_TRUE(made);
    for (const char* name : {"data/identity", "data/identity.copy"}) {
      EXPECT_EQ(to_hex(disk.files().at(name)->bytes), to_hex(bytes)) << name;
    }
  }
  storage::testing::FakeDisk disk;
  for (const char* name : {"data/identity", "data/identity.copy"}) {
    disk.files()[name] = std::make_shared<storage::testing::FakeDisk::Content>();
    disk.files()[name]->bytes = bytes;
  }
  const auto found =
      storage::open_data_directory(disk, {.path = "data", .identity = {}, .new_engine = {}});
  ASSERT_TRUE(found) << found.error().detail;
  EXPECT_TRUE((*found)->existed());
  EXPECT_EQ((*found)->identity(), kIdentity);
}

/// Writes what it is told into a frame again.
class Copy final : public storage::memory::ChangeSink {
 public:
  void put(PartitionId partition, std::string_view key, std::string_view value) override {
    told += "put " + std::to_string(partition.value) + "/" + std::string(key) + "=" +
            std::string(value) + " ";
    storage::memory::append_put(partition, key, value, frame);
  }
  void erase(PartitionId partition, std::string_view key) override {
    told += "erase " + std::to_string(partition.value) + "/" + std::string(key) + " ";
    storage::memory::append_erase(partition, key, frame);
  }
  void drop(PartitionId partition) override {
    told += "drop " + std::to_string(partition.value) + " ";
    storage::memory::append_drop(partition, frame);
  }
  std::string told;
  std::string frame;
};

TEST(GoldenPages, TheJournalOfTheEngineMemory) {
  using namespace storage::memory;
  const std::string file = example("data-directory.md", "### Example of a journal");
  const auto header = read_journal_header(file);
  ASSERT_TRUE(header) << header.error().detail;
  EXPECT_EQ(header->generation, 3U);
  EXPECT_EQ(header->seed, 0x1122334455667788U);
  Copy copy;
  append_journal_header(*header, copy.frame);
  const std::size_t begin = begin_frame(copy.frame);
  const auto replayed = replay_journal(file, *header, copy);
  ASSERT_TRUE(replayed) << replayed.error().detail;
  EXPECT_EQ(replayed->end, file.size());
  EXPECT_LT(replayed->durable, file.size());
  EXPECT_GT(replayed->durable, kJournalHeaderSize);
  EXPECT_EQ(copy.told, "put 5/k=v erase 5/old drop 300 ");
  finish_frame(*header, begin, kJournalHeaderSize, kJournalHeaderSize, copy.frame);
  // A clean stop: everything before is durable.
  const std::size_t last = begin_frame(copy.frame);
  finish_frame(*header, last, last, last, copy.frame);
  EXPECT_EQ(to_hex(copy.frame), to_hex(file));
}

TEST(GoldenPages, AKeyInRocksDb) {
  const std::string bytes = example("rocksdb.md", "### Example of a key");
  ASSERT_GT(bytes.size(), storage::rocks::kPrefixSize);
  const auto at = [&](std::size_t i) {
    return std::uint32_t{static_cast<unsigned char>(bytes[i])};
  };
  const PartitionId partition{at(0) << 8 | at(1)};
  EXPECT_EQ(partition.value, 777U);
  const auto key =
      storage::parse_storage_key(std::string_view(bytes).substr(storage::rocks::kPrefixSize));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->bucket, "default");
  EXPECT_EQ(key->key, "cart:42");
  std::string storage_key;
  storage::append_storage_key(key->bucket, key->key, storage_key);
  std::string again;
  storage::rocks::set_key(partition, storage_key, again);
  EXPECT_EQ(to_hex(again), to_hex(bytes));
  // The partition's range ends in front of the next one's first key.
  std::string behind;
  storage::rocks::set_key_after(partition, behind);
  EXPECT_EQ(to_hex(behind), "03 0a\n");
  EXPECT_LT(again, behind);
}

}  // namespace
}  // namespace stator
