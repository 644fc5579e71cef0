#include "cli/cluster_hints.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>

namespace stator::cli {
namespace {

struct Sum {
  std::int64_t pending = 0;
  std::int64_t bytes = 0;
  std::int64_t delivered = 0;
  std::int64_t delivered_total = 0;
  std::int64_t oldest_ms = 0;
  double per_second = 0;
  std::int64_t keepers = 0;  // those that have something pending

  void add(const Json& hints) {
    pending += hints["pending"].integer();
    bytes += hints["bytes"].integer();
    delivered += hints["delivered"].integer();
    delivered_total += hints["delivered_total"].integer();
    per_second += hints["per_second"].number();
    if (hints["pending"].integer() == 0) return;
    oldest_ms = std::max(oldest_ms, hints["oldest_ms"].integer());
    ++keepers;
  }
  [[nodiscard]] double progress() const {
    const auto all = static_cast<double>(delivered + pending);
    return all > 0 ? static_cast<double>(delivered) / all : 1;
  }
};

// The members of one object.
class Members {
 public:
  Members& add(const char* name, std::int64_t value) { return raw(name, std::to_string(value)); }
  Members& add(const char* name, bool value) { return raw(name, value ? "true" : "false"); }
  Members& add(const char* name, double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.6g", value);
    return raw(name, text);
  }
  Members& add(const char* name, const std::string& value) { return raw(name, json_text(value)); }
  Members& raw(const char* name, const std::string& json) {
    text_ += (text_.empty() ? "" : ",") + json_text(name) + ":" + json;
    return *this;
  }
  [[nodiscard]] std::string object() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

std::string array(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ",") + item;
  return "[" + text + "]";
}

struct Owner {
  std::string id;
  Sum sum;
};

std::string owner_json(const std::string& name, const Owner& owner, const Json& status) {
  bool healthy = false;
  for (const Json& member : status["members"].items()) {
    if (member["name"].text() == name) healthy = member["healthy"].flag();
  }
  const Sum& sum = owner.sum;
  return Members()
      .add("id", owner.id)
      .add("name", name)
      .add("healthy", healthy)
      .add("pending", sum.pending)
      .add("bytes", sum.bytes)
      .add("oldest_ms", sum.oldest_ms)
      .add("delivered", sum.delivered)
      .add("delivered_total", sum.delivered_total)
      .add("per_second", sum.per_second)
      .add("progress", sum.progress())
      .add("keepers", sum.keepers)
      .object();
}

}  // namespace

std::string cluster_hints(const Json& status, const std::vector<KeptBy>& keepers) {
  std::map<std::string, Owner> owners;
  std::vector<std::string> keepers_json;
  Sum sum;
  bool counting = false;
  std::int64_t answered = 0;
  for (const KeptBy& keeper : keepers) {
    const Json hints = Json::parse(keeper.hints);
    const bool known = static_cast<bool>(hints["owners"]);
    for (const Json& owner : hints["owners"].items()) {
      Owner& of = owners[owner["name"].text()];
      of.id = owner["id"].text();
      of.sum.add(owner);
      sum.add(owner);
    }
    if (known) ++answered;
    counting = counting || hints["counting"].flag();
    keepers_json.push_back(Members()
                               .add("name", keeper.name)
                               .add("answered", known)
                               .add("pending", hints["pending"].integer())
                               .add("bytes", hints["bytes"].integer())
                               .add("counting", hints["counting"].flag())
                               .object());
  }
  std::vector<std::string> owners_json;
  for (const auto& [name, owner] : owners) owners_json.push_back(owner_json(name, owner, status));
  const auto nodes = static_cast<std::int64_t>(keepers.size());
  return Members()
             .add("nodes", nodes)
             .add("answered", answered)
             .add("complete", answered == nodes && !counting)
             .add("pending", sum.pending)
             .add("bytes", sum.bytes)
             .add("counting", counting)
             .add("per_second", sum.per_second)
             .add("progress", sum.progress())
             .raw("owners", array(owners_json))
             .raw("keepers", array(keepers_json))
             .object() +
         "\n";
}

}  // namespace stator::cli
