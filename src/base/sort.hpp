// One sort for everything that is sorted seldom. std::sort makes some 8 KB of WebAssembly for each
// type and order; this makes a call of one function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

namespace z0 {

using LessItems = bool (*)(const void* a, const void* b, const void* order);

// A heap sort (Williams 1964) over `count` items of `size` bytes, at most 64: n log n steps
// whatever the order, no memory, not stable.
void sort_items(void* items, std::size_t count, std::size_t size, LessItems less,
                const void* order);

template <class T, class Order>
void sort(T* begin, T* end, const Order& order) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 64);
  sort_items(
      begin, static_cast<std::size_t>(end - begin), sizeof(T),
      [](const void* a, const void* b, const void* by) {
        return (*static_cast<const Order*>(by))(*static_cast<const T*>(a),
                                                *static_cast<const T*>(b));
      },
      &order);
}

// The same for items that are more than bytes. order(i, j): whether the item of number i goes before that
// of number j.
template <class T, class Order>
void sort_by_number(std::vector<T>& items, const Order& order) {
  std::vector<std::uint32_t> numbers(items.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  sort(numbers.data(), numbers.data() + numbers.size(), order);
  std::vector<T> sorted;
  sorted.reserve(numbers.size());
  for (const std::uint32_t number : numbers) sorted.push_back(std::move(items[number]));
  items = std::move(sorted);
}

}  // namespace z0
