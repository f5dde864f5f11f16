// One sort for everything that is sorted seldom. std::sort makes some 8 KB of WebAssembly for each
// type and order; this makes a call of one function.
#pragma once

#include <cstddef>
#include <type_traits>

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

}  // namespace z0
