#include "front/http/kv_routes.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "front/http/json.h"
#include "front/http/text.h"

namespace stator::http {
namespace {

constexpr std::uint64_t kTimeoutMsMax = 86'400'000;
constexpr std::uint64_t kTtlMsMax = 100ULL * 366 * 86'400'000;   // a century
constexpr std::uint64_t kExpiresMsMax = 253'402'300'799'999ULL;  // the end of year 9999

// A stored page must not act as a page of this server, nor be guessed to be one.
constexpr std::string_view kInertHeaders =
    "Content-Security-Policy: default-src 'none'; sandbox\r\n";

// One query parameter: where its number goes, and how large it may be.
struct Parameter {
  std::string_view name;
  std::uint64_t max;
  std::uint64_t value = 0;  // 0: not given
};

// Fills in `parameters`; a name that is not among them, a repetition and a bad number are refused,
// since each would ask for less than the client believes.
template <std::size_t N>
bool read_query(std::string_view query, Parameter (&parameters)[N], bool write, Problem& problem) {
  QueryReader reader(query);
  std::string_view name;
  std::string_view value;
  while (reader.next(name, value)) {
    Parameter* known = std::find_if(std::begin(parameters), std::end(parameters),
                                    [&](const Parameter& one) { return one.name == name; });
    if (known == std::end(parameters)) {
      std::string names;
      for (const Parameter& one : parameters)
        names.append(names.empty() ? "" : ", ").append(one.name);
      problem = refusal(ErrorCode::kBadRequest, write,
                        "there is no parameter '" + std::string(name.substr(0, 100)) + "' here",
                        "the parameters are " + names);
      return false;
    }
    const auto number = parse_decimal(value, known->max);
    if (!number || *number == 0 || known->value != 0) {
      problem = refusal(ErrorCode::kBadRequest, write,
                        std::string(known->name) + " must be given once, as a number from 1 to " +
                            std::to_string(known->max),
                        "leave it out for the default");
      return false;
    }
    known->value = *number;
  }
  return true;
}

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; });
}

Duration timeout_of(const Parameter& parameter) {
  return milliseconds(static_cast<std::int64_t>(parameter.value));
}

std::uint8_t count_of(const Parameter& parameter) {
  return static_cast<std::uint8_t>(parameter.value);
}

// What a writer said about the end of its value: by the query, or by the header. 0: never.
bool take_expiry(const Request& request, const Parameter& ttl, const Parameter& expires,
                 WallTime now, WallTime& out, Problem& problem) {
  std::uint64_t at_ms = expires.value;
  if (request.expires.present()) {
    const auto given = parse_decimal(request.expires.text, kExpiresMsMax);
    if (!given || *given == 0 || request.expires.count > 1) {
      problem = refusal(ErrorCode::kBadRequest, true,
                        "Stator-Expires must be a number of milliseconds since 1970",
                        "or say ?ttl_ms= with the milliseconds from now");
      return false;
    }
    at_ms = *given;
  }
  const int said =
      (ttl.value != 0 ? 1 : 0) + (expires.value != 0 ? 1 : 0) + (request.expires.present() ? 1 : 0);
  if (said > 1) {
    problem = refusal(ErrorCode::kBadRequest, true,
                      "the expiry is given more than once: ttl_ms, expires_ms, Stator-Expires",
                      "keep one of them");
    return false;
  }
  if (at_ms != 0) out = {static_cast<std::int64_t>(at_ms) * 1000};
  if (ttl.value != 0) out = now + milliseconds(static_cast<std::int64_t>(ttl.value));
  return true;
}

}  // namespace

bool decode_key(std::string_view path, bool write, std::string& bucket, std::string& key,
                Problem& problem) {
  bucket.clear();
  key.clear();
  const auto bucket_segment = take_segment(path);
  const auto key_segment = take_segment(path);
  if (!bucket_segment || bucket_segment->empty() || !key_segment) {
    problem = refusal(ErrorCode::kBadRequest, write, "the path names no bucket and key",
                      "it ends with /{bucket}/{key}");
    return false;
  }
  if (!path.empty()) {
    problem = refusal(ErrorCode::kBadRequest, write, "the path goes on behind the key",
                      "write a '/' in a key as %2F");
    return false;
  }
  if (!percent_decode(*bucket_segment, bucket) || !percent_decode(*key_segment, key)) {
    problem = refusal(ErrorCode::kBadRequest, write,
                      "a '%' in the path is not followed by two hex digits",
                      "write a '%' in a bucket or key as %25");
    return false;
  }
  return true;
}

void KvRoutes::serve(Exchange& exchange, const Target& target) {
  const Request& request = exchange.request();
  const bool write = request.method == Method::kPut || request.method == Method::kDelete;
  Problem problem;
  if (services_.overloaded()) {
    exchange.reply(refusal(ErrorCode::kOverloaded, write,
                           "clients of this node have too much left to send or to read",
                           "send it again after a pause that grows, or to another node"),
                   {});
    return;
  }
  if (!decode_key(target.path.substr(kPrefix.size()), write, bucket_, key_, problem)) {
    exchange.reply(problem, {});
    return;
  }
  switch (request.method) {
    case Method::kPut: put(exchange, target); break;
    case Method::kDelete: remove(exchange, target); break;
    default: get(exchange, target); break;
  }
}

// Reading.

void KvRoutes::get(Exchange& exchange, const Target& target) {
  Parameter parameters[] = {{"r", 255}, {"pr", 255}, {"timeout_ms", kTimeoutMsMax}};
  Problem problem;
  if (!read_query(target.query, parameters, false, problem)) {
    exchange.reply(problem, {});
    return;
  }
  const node::ReadQuorum quorum{.r = count_of(parameters[0]),
                                .pr = count_of(parameters[1]),
                                .timeout = timeout_of(parameters[2])};
  services_.store.read(bucket_, key_, quorum,
                       [this, ticket = exchange.ticket()](const Result<node::ReadResult>& result) {
                         Exchange* waiting = services_.exchanges.find(ticket);
                         if (waiting != nullptr) answer_read(*waiting, result);
                       });
}

void KvRoutes::answer_read(Exchange& exchange, const Result<node::ReadResult>& result) {
  if (!result) {
    exchange.reply(problem_of(result.error()), {});
    return;
  }
  const Object& object = *result->object;
  Problem problem;
  const Target target = split_target(exchange.request().target);
  const bool decoded =
      decode_key(target.path.substr(kPrefix.size()), false, answer_bucket_, answer_key_, problem);
  STATOR_ASSERT(decoded);
  const Version* living = nullptr;
  for (const Version& version : object.versions) {
    exchange.raise_floor(version.time);
    if (!version.dead(result->now)) living = &version;
  }
  make_context(object, result->fastest, answer_context_);
  begin_headers(result->evidence);
  append_context(answer_context_, answer_bucket_, answer_key_);
  if (living == nullptr) {
    exchange.reply(key_not_found(!object.empty()), headers_);
    return;
  }
  if (object.living(result->now) > 1) {
    const std::string body = siblings_json(context_text_, object, result->now);
    exchange.reply(
        {.status = 300, .content_type = "application/json", .headers = headers_, .body = body});
    return;
  }
  headers_ += kInertHeaders;
  append_version(*living);
  if (living->expires_at.us > 0) {
    headers_ += "Stator-Expires: ";
    append_decimal(headers_, static_cast<std::uint64_t>(living->expires_at.ms()));
    headers_ += "\r\n";
  }
  const bool kept = !living->content_type.empty() && printable(living->content_type);
  exchange.reply({.status = 200,
                  .content_type = kept ? living->content_type : kDefaultContentType,
                  .headers = headers_,
                  .body = living->value});
}

// Writing.

bool KvRoutes::take_write_headers(const Request& request, node::WriteRequest& write,
                                  Problem& problem) {
  const auto refuse = [&](ErrorCode code, std::string message, std::string hint) {
    problem = refusal(code, true, std::move(message), std::move(hint));
    return false;
  };
  if (request.conditional) {
    return refuse(
        ErrorCode::kBadRequest,
        "If-Match and its like cannot be kept by a store that accepts every write",
        "send the Stator-Context of what you read: what you did not see stays as a sibling");
  }
  if (request.context.count > 1 || request.write_id.count > 1) {
    return refuse(ErrorCode::kBadRequest, "Stator-Context or Stator-Write-Id is given twice",
                  "send each once");
  }
  if (request.context.present()) {
    const auto decoded = decode_context_text(request.context.text, bucket_, key_,
                                             services_.store.context_secret(), context_);
    if (!decoded) {
      ++services_.counters.contexts_refused_total;
      problem = problem_of(decoded.error());
      problem.outcome = Outcome::kNotApplied;
      return false;
    }
    write.context = &context_;
  }
  if (request.write_id.present()) {
    const auto id = parse_write_id(request.write_id.text);
    if (!id) {
      return refuse(ErrorCode::kBadRequest,
                    "Stator-Write-Id must be a UUID or 32 hex digits, not all zero",
                    "make a UUIDv7, or leave it out");
    }
    write.id = *id;
  }
  return true;
}

void KvRoutes::put(Exchange& exchange, const Target& target) {
  Parameter parameters[] = {{"w", 255},
                            {"pw", 255},
                            {"dw", 255},
                            {"timeout_ms", kTimeoutMsMax},
                            {"ttl_ms", kTtlMsMax},
                            {"expires_ms", kExpiresMsMax}};
  const Request& request = exchange.request();
  node::WriteRequest write;
  Problem problem;
  if (!read_query(target.query, parameters, true, problem) ||
      !take_write_headers(request, write, problem) ||
      !take_expiry(request, parameters[4], parameters[5], services_.store.guarded_now(),
                   write.expires_at, problem)) {
    exchange.reply(problem, {});
    return;
  }
  if (request.encoded || request.content_type.count > 1 || !printable(request.content_type.text)) {
    exchange.reply(refusal(ErrorCode::kBadRequest, true,
                           "of a value only its bytes and one Content-Type in ASCII are kept, no "
                           "Content-Encoding and no Content-Range",
                           "leave those headers out"),
                   {});
    return;
  }
  // Without a context the writer saw nothing, and what is there stays as a sibling.
  write.kind = node::WriteKind::kWithContext;
  write.value = request.body;
  write.content_type = request.content_type.text;
  write.quorum = {.w = count_of(parameters[0]),
                  .pw = count_of(parameters[1]),
                  .dw = count_of(parameters[2]),
                  .timeout = timeout_of(parameters[3])};
  this->write(exchange, write);
}

void KvRoutes::remove(Exchange& exchange, const Target& target) {
  Parameter parameters[] = {{"w", 255}, {"pw", 255}, {"dw", 255}, {"timeout_ms", kTimeoutMsMax}};
  node::WriteRequest write;
  Problem problem;
  if (!read_query(target.query, parameters, true, problem) ||
      !take_write_headers(exchange.request(), write, problem)) {
    exchange.reply(problem, {});
    return;
  }
  const bool blind = write.context == nullptr;
  // What a blind delete removes is only known where it is minted: minted a second time elsewhere it
  // would remove what came in between (put_over_all). So the node makes its id, for one minting.
  if (blind && write.id && write.id.retryable()) {
    exchange.reply(refusal(ErrorCode::kBadRequest, true,
                           "a delete with a write id of the client's own needs a context",
                           "read the key and send the Stator-Context of that answer, or leave out "
                           "the write id"),
                   {});
    return;
  }
  write.kind = blind ? node::WriteKind::kOverAll : node::WriteKind::kWithContext;
  write.tombstone = true;
  write.quorum = {.w = count_of(parameters[0]),
                  .pw = count_of(parameters[1]),
                  .dw = count_of(parameters[2]),
                  .timeout = timeout_of(parameters[3])};
  this->write(exchange, write);
}

void KvRoutes::write(Exchange& exchange, const node::WriteRequest& request) {
  node::WriteRequest full = request;
  full.bucket = bucket_;
  full.key = key_;
  full.floor = exchange.floor();
  services_.store.write(full, [this, ticket = exchange.ticket()](const node::WriteResult& result) {
    Exchange* waiting = services_.exchanges.find(ticket);
    if (waiting != nullptr) answer_write(*waiting, result);
  });
}

void KvRoutes::answer_write(Exchange& exchange, const node::WriteResult& result) {
  if (result.outcome != Outcome::kOk) {
    exchange.reply(problem_of(result.error, result.outcome, result.id), {});
    return;
  }
  exchange.raise_floor(result.time);
  begin_headers(result.evidence);
  if (result.context != nullptr) append_context(*result.context, result.bucket, result.key);
  headers_ += "Stator-Write-Id: " + write_id_text(result.id) + "\r\n";
  exchange.reply({.status = 204, .headers = headers_});
}

// What all kv answers carry.

void KvRoutes::begin_headers(const node::Evidence& evidence) {
  headers_.clear();
  const std::pair<std::string_view, std::uint8_t> facts[] = {
      {"Stator-Quorum: primaries=", evidence.primaries},
      {" fallbacks=", evidence.fallbacks},
      {" nodes=", evidence.nodes},
      {" zones=", evidence.zones}};
  for (const auto& [name, count] : facts) {
    headers_ += name;
    append_decimal(headers_, count);
  }
  headers_ += "\r\n";
}

// What the siblings of a 300 say of themselves in JSON.
void KvRoutes::append_version(const Version& version) {
  headers_.append("Stator-Dot: ").append(dot_text(version.dot));
  headers_.append("\r\nStator-Time: ").append(time_text(version.time.wall()));
  headers_.append("\r\nStator-Write-Id: ").append(write_id_text(version.write_id));
  headers_ += "\r\n";
}

void KvRoutes::append_context(const Context& context, std::string_view bucket,
                              std::string_view key) {
  context_text_.clear();
  encode_context_text(context, bucket, key, services_.store.context_secret(), context_text_);
  headers_.append("Stator-Context: ").append(context_text_).append("\r\n");
}

}  // namespace stator::http
