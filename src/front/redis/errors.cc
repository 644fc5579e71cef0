#include "front/redis/errors.h"

#include "front/redis/text.h"

namespace stator::redis {
namespace {

struct Row {
  ErrorCode code;
  std::string_view prefix;
  bool counts;            // tells `needed` and `got`
  std::string_view text;  // when the error has no detail of its own
  std::string_view advice;
};

constexpr Row kRows[] = {
    {ErrorCode::kBadRequest, "ERR", false, "the request cannot be carried out",
     "correct it; repeating it will not help"},
    {ErrorCode::kBadContext, "BADCONTEXT", false,
     "the context is cut, changed, of another key or of another cluster",
     "read the key with ST.GET and write with the context that it returns"},
    {ErrorCode::kTooLarge, "TOOLARGE", false, "over the limit",
     "make it smaller, or raise the limit (`stator config show`)"},
    {ErrorCode::kTooManySiblings, "TOOMANYSIBLINGS", false,
     "the key has as many concurrent versions as are allowed",
     "read it with ST.GET, merge them, and write or delete with the context"},
    {ErrorCode::kOverloaded, "TRYAGAIN", false, "this node has too much to do",
     "nothing was applied; retry after 100 ms, then with growing pauses"},
    {ErrorCode::kTooFewNodes, "NOQUORUM", true, "too few replicas can be reached",
     "retry later or on another node, or ask for less with ST.GET ... R n or ST.PUT ... W n"},
    {ErrorCode::kTimeout, "TIMEOUT", true, "too few replicas answered in time",
     "retry, or look with `stator status`"},
    {ErrorCode::kHistoryMismatch, "TRYAGAIN", false, "the members are being changed",
     "nothing was applied; retry"},
    {ErrorCode::kNotMember, "NOTMEMBER", false, "this node is no member of a cluster",
     "connect to another node, or start this one with --cluster-id and --found as its founders "
     "were"},
    {ErrorCode::kUnreadable, "UNREADABLE", true, "a stored record is damaged",
     "retry on another node, and look at this key with `stator explain`"},
    {ErrorCode::kDiskFull, "DISKFULL", true, "too few replicas have room on their disks",
     "free space; see `stator status`"},
    {ErrorCode::kIo, "IOERR", true, "replicas cannot read or write their disks",
     "see `stator status` and the log of the node"},
    {ErrorCode::kCorrupt, "CORRUPT", true, "data fails its checksum",
     "look at this key with `stator explain`"},
    {ErrorCode::kNotSupported, "NOTSUPPORTED", false, "a node of another version was asked",
     "bring all nodes to one version"},
    {ErrorCode::kClosed, "TRYAGAIN", false, "this node is stopping",
     "nothing was applied; connect to another node"},
    {ErrorCode::kConflict, "ERR", false, "in use by somebody else", "see `stator status`"},
    {ErrorCode::kWriteIdExpired, "WIDEXPIRED", false, "the write id is too old for a retry",
     "read the key with ST.GET; if your write is not there, write again under a new WID with the "
     "context of that read"},
};

const Row& row_of(ErrorCode code) {
  for (const Row& row : kRows) {
    if (row.code == code) return row;
  }
  return kRows[0];
}

void add_counts(RespWriter& out, const Error& error) {
  out.add("needed=").add(std::int64_t{error.needed}).add(" got=").add(std::int64_t{error.got});
  out.add(": ");
}

}  // namespace

void write_error(RespWriter& out, const Error& error) {
  const Row& row = row_of(error.code);
  out.begin_error(row.prefix);
  if (row.counts && error.needed != 0) add_counts(out, error);
  out.add(error.detail.empty() ? row.text : std::string_view(error.detail));
  out.add("; ").add(row.advice);
  out.end_error();
}

void write_outcome(RespWriter& out, const node::WriteResult& result) {
  // A write that nobody was sent may be repeated whatever the reason; one that comes too late to be
  // recognised may not.
  if (result.outcome != Outcome::kUnknown || result.error.code == ErrorCode::kWriteIdExpired) {
    write_error(out, result.error);
    return;
  }
  const Row& row = row_of(result.error.code);
  std::string& bytes = out.out();
  out.begin_error("UNKNOWN");
  append_write_id(bytes, result.id);
  bytes.push_back(' ');
  if (result.error.needed != 0) add_counts(out, result.error);
  out.add(result.error.detail.empty() ? row.text : std::string_view(result.error.detail));
  out.add(
      "; the write may be visible now or later: read the key before you repeat it, or repeat an "
      "ST.PUT under this id with WID");
  out.end_error();
}

bool is_try_again(std::string_view answer) {
  return answer.starts_with("-TRYAGAIN ");
}

void wrong_arity(RespWriter& out, std::string_view command) {
  out.begin_error("ERR");
  out.add("wrong number of arguments for '").add(command).add("' command");
  out.end_error();
}

}  // namespace stator::redis
