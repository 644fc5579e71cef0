#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stator::cli {

/// A JSON document to look things up in. What is missing or of another kind reads as nothing (an
/// empty text, 0, false, no items), so that a newer node's answers can be shown.
class Json {
 public:
  Json() = default;
  /// Nothing when `text` is no JSON.
  [[nodiscard]] static Json parse(std::string_view text);

  /// False for what is missing or null.
  [[nodiscard]] explicit operator bool() const;
  [[nodiscard]] Json operator[](std::string_view member) const;
  [[nodiscard]] std::vector<Json> items() const;
  /// A string as it is, a number or a boolean as JSON writes it, null and missing as "".
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::int64_t integer() const;
  [[nodiscard]] double number() const;
  [[nodiscard]] bool flag() const;

 private:
  struct Document;
  Json(std::shared_ptr<const Document> document, const void* at)
      : document_(std::move(document)), at_(at) {}

  std::shared_ptr<const Document> document_;
  const void* at_ = nullptr;  // a node of the document
};

/// The items of an array in the order of their member "name".
[[nodiscard]] std::vector<Json> by_name(const Json& array);

}  // namespace stator::cli
