#pragma once

#include <string>
#include <string_view>

#include "core/version/context.h"
#include "front/http/exchange.h"
#include "front/http/services.h"
#include "front/http/target.h"

namespace stator::http {

/// The bytes of a bucket and a key, decoded from the path behind a prefix: "/{bucket}/{key}".
/// False, with the reason in `problem`, when they are not of that form.
[[nodiscard]] bool decode_key(std::string_view path, bool write, std::string& bucket,
                              std::string& key, Problem& problem);

/// get, put and delete of paper 4.1 (design 2.3): /v1/kv/{bucket}/{key}.
class KvRoutes {
 public:
  explicit KvRoutes(Services& services) : services_(services) {}
  KvRoutes(const KvRoutes&) = delete;
  KvRoutes& operator=(const KvRoutes&) = delete;

  static constexpr std::string_view kPrefix = "/v1/kv";
  static constexpr std::string_view kAllow = "GET, HEAD, PUT, DELETE";

  /// `target` is under kPrefix, the method one of kAllow.
  void serve(Exchange& exchange, const Target& target);

 private:
  void get(Exchange& exchange, const Target& target);
  void put(Exchange& exchange, const Target& target);
  void remove(Exchange& exchange, const Target& target);
  void write(Exchange& exchange, const node::WriteRequest& request);
  void answer_read(Exchange& exchange, const Result<node::ReadResult>& result);
  void answer_write(Exchange& exchange, const node::WriteResult& result);

  [[nodiscard]] bool take_write_headers(const Request& request, node::WriteRequest& write,
                                        Problem& problem);
  void begin_headers(const node::Evidence& evidence);
  void append_context(const Context& context, std::string_view bucket, std::string_view key);
  void append_version(const Version& version);

  Services& services_;
  // Of the request that is being handed to the store; of the answer that is being made: one may
  // come inside the other.
  std::string bucket_;
  std::string key_;
  Context context_;
  std::string answer_bucket_;
  std::string answer_key_;
  Context answer_context_;
  std::string context_text_;
  std::string headers_;
};

}  // namespace stator::http
