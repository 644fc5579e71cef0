#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>

#include "base/assert.h"

namespace stator {

/// A vector of trivially copyable things that keeps its first `N` inside itself: clocks and
/// versions of an ordinary object never touch the heap. Grows to the heap beyond that and keeps the
/// capacity on clear(), so that a scratch object reaches a steady state without allocations. Not
/// thread-safe.
template <typename T, std::size_t N>
class SmallVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  SmallVector() = default;
  SmallVector(const SmallVector& other) { assign(other.begin(), other.end()); }
  SmallVector& operator=(const SmallVector& other) {
    if (this != &other) assign(other.begin(), other.end());
    return *this;
  }
  SmallVector(SmallVector&& other) noexcept { swap_from(other); }
  SmallVector& operator=(SmallVector&& other) noexcept {
    if (this != &other) swap_from(other);
    return *this;
  }
  ~SmallVector() = default;

  [[nodiscard]] T* begin() { return data(); }
  [[nodiscard]] T* end() { return data() + size_; }
  [[nodiscard]] const T* begin() const { return data(); }
  [[nodiscard]] const T* end() const { return data() + size_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  T& operator[](std::size_t i) {
    STATOR_ASSERT(i < size_);
    return data()[i];
  }
  const T& operator[](std::size_t i) const {
    STATOR_ASSERT(i < size_);
    return data()[i];
  }
  [[nodiscard]] T& back() { return (*this)[size_ - 1]; }
  [[nodiscard]] const T& back() const { return (*this)[size_ - 1]; }
  [[nodiscard]] std::span<const T> view() const { return {data(), size_}; }

  void clear() { size_ = 0; }
  void reserve(std::size_t wanted) {
    if (wanted <= capacity_) return;
    const std::size_t grown = std::max(wanted, capacity_ * 2);
    auto bigger = std::make_unique<Slot[]>(grown);
    if (size_ > 0) std::memcpy(static_cast<void*>(bigger.get()), data(), size_ * sizeof(T));
    heap_ = std::move(bigger);
    capacity_ = grown;
  }
  void push_back(const T& value) {
    const T copy = value;  // `value` may live in this vector
    reserve(size_ + 1);
    data()[size_++] = copy;
  }
  void insert(std::size_t position, const T& value) {
    STATOR_ASSERT(position <= size_);
    const T copy = value;
    reserve(size_ + 1);
    T* base = data();
    std::memmove(static_cast<void*>(base + position + 1), base + position,
                 (size_ - position) * sizeof(T));
    base[position] = copy;
    ++size_;
  }
  void erase(std::size_t position) {
    STATOR_ASSERT(position < size_);
    T* base = data();
    std::memmove(static_cast<void*>(base + position), base + position + 1,
                 (size_ - position - 1) * sizeof(T));
    --size_;
  }
  void truncate(std::size_t size) {
    STATOR_ASSERT(size <= size_);
    size_ = size;
  }
  template <typename Iterator>
  void assign(Iterator first, Iterator last) {
    clear();
    reserve(static_cast<std::size_t>(last - first));
    for (; first != last; ++first) data()[size_++] = *first;
  }
  bool operator==(const SmallVector& other) const {
    return std::equal(begin(), end(), other.begin(), other.end());
  }

 private:
  // Raw storage, so that T needs no default constructor to be run.
  struct alignas(T) Slot {
    std::byte bytes[sizeof(T)];
  };

  T* data() { return reinterpret_cast<T*>(heap_ ? heap_.get() : inline_); }
  const T* data() const { return reinterpret_cast<const T*>(heap_ ? heap_.get() : inline_); }

  void swap_from(SmallVector& other) {
    if (other.heap_) {
      heap_ = std::move(other.heap_);
      capacity_ = other.capacity_;
      size_ = other.size_;
      other.capacity_ = N;
      other.size_ = 0;
    } else {
      assign(other.begin(), other.end());
      other.size_ = 0;
    }
  }

  Slot inline_[N];
  std::unique_ptr<Slot[]> heap_;
  std::size_t size_ = 0;
  std::size_t capacity_ = N;
};

}  // namespace stator
