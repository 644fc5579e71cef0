#include "cli/cluster_hints.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/text_table.h"

namespace stator::cli {
namespace {

using OrderedJson = nlohmann::ordered_json;

struct Sum {
  std::int64_t pending = 0;
  std::int64_t bytes = 0;
  std::int64_t delivered = 0;
  std::int64_t delivered_total = 0;
  std::int64_t oldest_ms = 0;
  double per_second = 0;
  bool settled = true;
  std::int64_t keepers = 0;  // those that have something pending

  void add(const Json& hints) {
    pending += hints["pending"].integer();
    bytes += hints["bytes"].integer();
    delivered += hints["delivered"].integer();
    delivered_total += hints["delivered_total"].integer();
    per_second += hints["per_second"].number();
    if (hints["pending"].integer() == 0) return;
    settled = settled && hints["settled"].flag();
    oldest_ms = std::max(oldest_ms, hints["oldest_ms"].integer());
    ++keepers;
  }
  [[nodiscard]] double progress() const {
    const auto all = static_cast<double>(delivered + pending);
    return all > 0 ? static_cast<double>(delivered) / all : 1;
  }
};

struct Owner {
  std::string id;
  Sum sum;
};

bool is_healthy(const Json& status, const std::string& name) {
  for (const Json& member : status["members"].items()) {
    if (member["name"].text() == name) return member["healthy"].flag();
  }
  return false;
}

OrderedJson owner_json(const std::string& name, const Owner& owner, const Json& status) {
  OrderedJson json;
  json["id"] = owner.id;
  json["name"] = name;
  json["healthy"] = is_healthy(status, name);
  json["pending"] = owner.sum.pending;
  json["bytes"] = owner.sum.bytes;
  json["oldest_ms"] = owner.sum.oldest_ms;
  json["delivered"] = owner.sum.delivered;
  json["delivered_total"] = owner.sum.delivered_total;
  json["per_second"] = owner.sum.per_second;
  json["settled"] = owner.sum.settled;
  json["progress"] = owner.sum.progress();
  json["keepers"] = owner.sum.keepers;
  return json;
}

OrderedJson keeper_json(const std::string& name, const Json& hints) {
  OrderedJson json;
  json["name"] = name;
  json["answered"] = static_cast<bool>(hints["owners"]);
  json["pending"] = hints["pending"].integer();
  json["bytes"] = hints["bytes"].integer();
  json["counting"] = hints["counting"].flag();
  return json;
}

}  // namespace

std::string cluster_hints(const Json& status, const std::vector<KeptBy>& keepers) {
  std::map<std::string, Owner> owners;
  OrderedJson keepers_json = OrderedJson::array();
  Sum sum;
  bool counting = false;
  std::size_t answered = 0;
  for (const KeptBy& keeper : keepers) {
    const Json hints = Json::parse(keeper.hints);
    for (const Json& owner : hints["owners"].items()) {
      Owner& of = owners[owner["name"].text()];
      of.id = owner["id"].text();
      of.sum.add(owner);
      sum.add(owner);
    }
    if (hints["owners"]) ++answered;
    counting = counting || hints["counting"].flag();
    keepers_json.push_back(keeper_json(keeper.name, hints));
  }
  OrderedJson owners_json = OrderedJson::array();
  for (const auto& [name, owner] : owners) owners_json.push_back(owner_json(name, owner, status));
  OrderedJson json;
  json["nodes"] = keepers.size();
  json["answered"] = answered;
  json["complete"] = answered == keepers.size() && !counting;
  json["pending"] = sum.pending;
  json["bytes"] = sum.bytes;
  json["counting"] = counting;
  json["per_second"] = sum.per_second;
  json["progress"] = sum.progress();
  json["owners"] = std::move(owners_json);
  json["keepers"] = std::move(keepers_json);
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

std::string time_left(const Json& owner) {
  const double rate = owner["per_second"].number();
  if (owner["pending"].integer() == 0) return "";
  if (rate <= 0) return owner["healthy"].flag() ? "" : "when it is back";
  if (!owner["settled"].flag()) return "";
  return human_time_ms(static_cast<std::int64_t>(owner["pending"].number() / rate * 1000));
}

}  // namespace stator::cli
