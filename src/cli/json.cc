#include "cli/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace stator::cli {

struct Json::Document {
  nlohmann::json root;
};

namespace {

const nlohmann::json& node(const void* at) {
  static const nlohmann::json kNothing;
  return at == nullptr ? kNothing : *static_cast<const nlohmann::json*>(at);
}

}  // namespace

Json Json::parse(std::string_view text) {
  auto document = std::make_shared<Document>();
  document->root = nlohmann::json::parse(text, nullptr, false);
  if (document->root.is_discarded()) return {};
  const void* root = &document->root;
  return {std::move(document), root};
}

Json::operator bool() const {
  return !node(at_).is_null();
}

Json Json::operator[](std::string_view member) const {
  const nlohmann::json& json = node(at_);
  if (!json.is_object()) return {};
  const auto found = json.find(std::string(member));
  if (found == json.end()) return {};
  return {document_, &*found};
}

std::vector<Json> Json::items() const {
  std::vector<Json> all;
  const nlohmann::json& json = node(at_);
  if (!json.is_array()) return all;
  for (const nlohmann::json& item : json) all.push_back(Json(document_, &item));
  return all;
}

std::string Json::text() const {
  const nlohmann::json& json = node(at_);
  if (json.is_string()) return json.get<std::string>();
  if (json.is_null()) return {};
  return json.dump();
}

std::int64_t Json::integer() const {
  const nlohmann::json& json = node(at_);
  return json.is_number() ? json.get<std::int64_t>() : 0;
}

double Json::number() const {
  const nlohmann::json& json = node(at_);
  return json.is_number() ? json.get<double>() : 0;
}

bool Json::flag() const {
  const nlohmann::json& json = node(at_);
  return json.is_boolean() && json.get<bool>();
}

std::vector<Json> by_name(const Json& array) {
  std::vector<Json> items = array.items();
  std::sort(items.begin(), items.end(),
            [](const Json& a, const Json& b) { return a["name"].text() < b["name"].text(); });
  return items;
}

}  // namespace stator::cli
