#include "core/membership/history.h"

#include <algorithm>
#include <bit>
#include <set>
#include <tuple>

#include "base/bytes.h"
#include "base/hash.h"
#include "core/ring/position.h"

namespace stator {
namespace {

constexpr std::uint8_t kFormatVersion = 1;
constexpr std::uint8_t kFoundingKind = 1;
constexpr std::uint64_t kEntriesMax = 1'000'000;
constexpr std::uint64_t kFoundersMax = 10'000;

void encode_founding(const Founding& founding, std::string& out) {
  append_sized(out, founding.cluster_id);
  append_u32(out, founding.q);
  append_u8(out, founding.n);
  append_u8(out, founding.r);
  append_u8(out, founding.w);
  append_varint(out, founding.founders.size());
  for (const Member& member : founding.founders) {
    append_u64(out, member.id.value);
    append_sized(out, member.name);
    append_sized(out, member.peer_address);
    append_sized(out, member.zone);
    append_u64(out, std::bit_cast<std::uint64_t>(member.weight));
  }
}

Result<Founding> decode_founding(std::string_view bytes) {
  ByteReader reader(bytes);
  Founding founding;
  founding.cluster_id = reader.sized();
  founding.q = reader.u32();
  founding.n = reader.u8();
  founding.r = reader.u8();
  founding.w = reader.u8();
  const std::uint64_t count = reader.varint();
  if (!reader.ok() || count > kFoundersMax) {
    return std::unexpected(Error{.code = ErrorCode::kCorrupt, .detail = "founding entry is cut"});
  }
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    Member member;
    member.id = {reader.u64()};
    member.name = reader.sized();
    member.peer_address = reader.sized();
    member.zone = reader.sized();
    member.weight = std::bit_cast<double>(reader.u64());
    founding.founders.push_back(std::move(member));
  }
  if (!reader.ok()) {
    return std::unexpected(Error{.code = ErrorCode::kCorrupt, .detail = "founding entry is cut"});
  }
  Founding checked = founding;
  if (const auto valid = complete_founding(checked); !valid) return std::unexpected(valid.error());
  if (!(checked == founding)) {
    return std::unexpected(Error{.code = ErrorCode::kCorrupt,
                                 .detail = "founding entry is not in its canonical form"});
  }
  return founding;
}

Error bad(std::string detail) {
  return Error{.code = ErrorCode::kBadRequest, .detail = std::move(detail)};
}

}  // namespace

std::uint64_t cluster_tag(std::string_view cluster_id) {
  const std::uint64_t tag = hash64(cluster_id, 0x636C7573746572ULL);
  return tag == 0 ? 1 : tag;
}

NodeId founder_id(std::string_view cluster_id, std::string_view name) {
  const std::uint64_t id = hash64(name, cluster_tag(cluster_id));
  return {id == 0 ? 1 : id};
}

Result<void> complete_founding(Founding& founding) {
  if (founding.cluster_id.empty() || founding.cluster_id.size() > 255) {
    return std::unexpected(bad("the cluster id must have 1 to 255 bytes"));
  }
  if (!valid_partition_count(founding.q)) {
    return std::unexpected(bad("the number of partitions must be a power of two from 16 to 16384"));
  }
  if (founding.n < 1 || founding.n > 7) return std::unexpected(bad("N must be from 1 to 7"));
  if (founding.r < 1 || founding.r > founding.n)
    return std::unexpected(bad("R must be from 1 to N"));
  if (founding.w < 1 || founding.w > founding.n)
    return std::unexpected(bad("W must be from 1 to N"));
  if (founding.founders.empty())
    return std::unexpected(bad("a cluster needs at least one founder"));
  std::set<std::string> names;
  std::set<std::string> addresses;
  std::set<NodeId> ids;
  for (Member& member : founding.founders) {
    if (member.name.empty() || member.name.size() > 255) {
      return std::unexpected(bad("a founder's name must have 1 to 255 bytes"));
    }
    if (!names.insert(member.name).second) {
      return std::unexpected(bad("the founder '" + member.name + "' is named twice"));
    }
    if (!addresses.insert(member.peer_address).second) {
      return std::unexpected(bad("the peer address " + member.peer_address + " is named twice"));
    }
    if (!(member.weight >= 0.001 && member.weight <= 1000)) {
      return std::unexpected(bad("the weight of '" + member.name + "' must be from 0.001 to 1000"));
    }
    member.id = founder_id(founding.cluster_id, member.name);
    if (!ids.insert(member.id).second) {
      return std::unexpected(bad("the name '" + member.name + "' collides: choose another one"));
    }
  }
  std::sort(founding.founders.begin(), founding.founders.end(),
            [](const Member& a, const Member& b) { return a.id < b.id; });
  return {};
}

History History::found(const Founding& founding) {
  History history;
  Entry entry;
  entry.logical_time = 1;
  entry.kind = kFoundingKind;
  encode_founding(founding, entry.body);
  history.entries_.push_back(std::move(entry));
  const auto folded = history.refold();
  STATOR_ASSERT(folded.has_value());
  return history;
}

void History::encode(std::string& out) const {
  append_u8(out, kFormatVersion);
  append_varint(out, entries_.size());
  for (const Entry& entry : entries_) {
    append_u64(out, entry.logical_time);
    append_u64(out, entry.issuer.value);
    append_u8(out, entry.kind);
    append_sized(out, entry.body);
  }
}

Result<History> History::decode(std::string_view bytes) {
  if (bytes.empty()) return History();
  ByteReader reader(bytes);
  const std::uint8_t version = reader.u8();
  if (version != kFormatVersion) {
    return std::unexpected(Error{.code = ErrorCode::kNotSupported,
                                 .detail = "membership history of format " +
                                           std::to_string(version) +
                                           "; this build reads format 1"});
  }
  const std::uint64_t count = reader.varint();
  if (count > kEntriesMax) reader.fail();
  History history;
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    Entry entry;
    entry.logical_time = reader.u64();
    entry.issuer = {reader.u64()};
    entry.kind = reader.u8();
    entry.body = reader.sized();
    history.entries_.push_back(std::move(entry));
  }
  if (!reader.finished()) {
    return std::unexpected(
        Error{.code = ErrorCode::kCorrupt, .detail = "membership history is cut"});
  }
  if (const auto folded = history.refold(); !folded) return std::unexpected(folded.error());
  return history;
}

Result<bool> History::merge(const History& other) {
  if (other.empty()) return false;
  if (empty()) {
    *this = other;
    return true;
  }
  if (other.version_ == version_) return false;
  if (!(other.founding_ == founding_)) {
    return std::unexpected(Error{.code = ErrorCode::kConflict,
                                 .detail = "the peer belongs to cluster '" +
                                           other.founding_.cluster_id +
                                           "' or was founded with other settings"});
  }
  History merged = *this;
  merged.entries_.insert(merged.entries_.end(), other.entries_.begin(), other.entries_.end());
  if (const auto folded = merged.refold(); !folded) return std::unexpected(folded.error());
  const bool changed = !(merged.version_ == version_);
  *this = std::move(merged);
  return changed;
}

Result<void> History::refold() {
  const auto order = [](const Entry& e) {
    return std::tie(e.logical_time, e.issuer, e.kind, e.body);
  };
  std::sort(entries_.begin(), entries_.end(),
            [&](const Entry& a, const Entry& b) { return order(a) < order(b); });
  entries_.erase(std::unique(entries_.begin(), entries_.end()), entries_.end());
  if (entries_.empty()) return {};
  if (entries_.front().kind != kFoundingKind) {
    return std::unexpected(Error{.code = ErrorCode::kCorrupt,
                                 .detail = "membership history does not begin with a founding"});
  }
  auto founding = decode_founding(entries_.front().body);
  if (!founding) return std::unexpected(founding.error());
  founding_ = std::move(*founding);
  cluster_tag_ = stator::cluster_tag(founding_.cluster_id);
  std::string bytes;
  encode(bytes);
  const std::uint64_t hash = hash64(bytes, cluster_tag_);
  version_ = {hash == 0 ? 1 : hash};
  return {};
}

}  // namespace stator
