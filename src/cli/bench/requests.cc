#include "cli/bench/requests.h"

#include <charconv>

namespace stator::bench {

namespace {

// Values begin at any of so many places of the pool, so that few are alike.
constexpr std::uint32_t kPoolSlack = 64 * 1024;
constexpr std::size_t kHexDigits = 16;

void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

std::string hex(std::uint64_t value) {
  std::string out(kHexDigits, '0');
  for (std::size_t i = kHexDigits; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
  return out;
}

}  // namespace

void append_command(std::string& out, std::initializer_list<std::string_view> words) {
  out.push_back('*');
  append_number(out, words.size());
  for (const std::string_view word : words) {
    out.append("\r\n$", 3);
    append_number(out, word.size());
    out.append("\r\n", 2);
    out.append(word);
  }
  out.append("\r\n", 2);
}

Requests::Requests(std::string prefix, std::uint32_t value_max, std::uint64_t seed)
    : key_(std::move(prefix)), prefix_bytes_(key_.size()), random_(seed) {
  run_ = hex(random_.next());
  pool_.reserve(value_max + kPoolSlack + sizeof(std::uint64_t));
  while (pool_.size() < std::size_t{value_max} + kPoolSlack) {
    const std::uint64_t bits = random_.next();
    pool_.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  }
}

std::string_view Requests::key(std::uint64_t number) {
  key_.resize(prefix_bytes_);
  append_number(key_, number);
  return key_;
}

void Requests::append(std::string& out, const Operation& operation, std::string_view context) {
  const std::string_view name = key(operation.key);
  switch (operation.kind) {
    case OpKind::kGet: return append_command(out, {"GET", name});
    case OpKind::kSet: return append_command(out, {"SET", name, value(operation)});
    case OpKind::kDel: return append_command(out, {"DEL", name});
    case OpKind::kStGet: return append_command(out, {"ST.GET", name});
    case OpKind::kStPut: return append_command(out, {"ST.PUT", name, value(operation)});
    case OpKind::kStUpdate:
      if (!operation.answered) return append_command(out, {"ST.GET", name});
      if (context.empty()) return append_command(out, {"ST.PUT", name, value(operation)});
      return append_command(out, {"ST.PUT", name, value(operation), "CTX", context});
    case OpKind::kSlots: return append_command(out, {"CLUSTER", "SLOTS"});
  }
}

std::string_view Requests::value(const Operation& operation) {
  const std::string_view bytes =
      std::string_view(pool_).substr(random_.below(kPoolSlack), operation.value_bytes);
  if (operation.write == 0) return bytes;
  checked_ = run_;
  checked_ += hex(operation.write);
  checked_ += bytes.substr(kCheckedBytesMin);
  return checked_;
}

std::uint64_t Requests::write_of(std::string_view value) const {
  if (value.size() < kCheckedBytesMin || !value.starts_with(run_)) return 0;
  const char* digits = value.data() + kHexDigits;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits, digits + kHexDigits, number, 16);
  return error == std::errc{} && end == digits + kHexDigits ? number : 0;
}

}  // namespace stator::bench
