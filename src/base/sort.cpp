#include "base/sort.hpp"

#include <cstring>

#include "z0/base/trap.hpp"

namespace z0 {
namespace {

constexpr std::size_t item_bytes_max = 64;

struct Heap {
  char* items;
  std::size_t size;
  LessItems less;
  const void* order;

  char* at(std::size_t i) const { return items + i * size; }

  void swap(std::size_t a, std::size_t b) const {
    char held[item_bytes_max];
    std::memcpy(held, at(a), size);
    std::memcpy(at(a), at(b), size);
    std::memcpy(at(b), held, size);
  }

  // The item at `i` goes down to where both below it are no greater.
  void sink(std::size_t i, std::size_t count) const {
    for (std::size_t child = 2 * i + 1; child < count; child = 2 * i + 1) {
      if (child + 1 < count && less(at(child), at(child + 1), order)) ++child;
      if (!less(at(i), at(child), order)) return;
      swap(i, child);
      i = child;
    }
  }
};

}  // namespace

void sort_items(void* items, std::size_t count, std::size_t size, LessItems less,
                const void* order) {
  if (size > item_bytes_max) trap("a sorted item fits into the buffer");
  const Heap heap{static_cast<char*>(items), size, less, order};
  for (std::size_t i = count / 2; i-- > 0;) heap.sink(i, count);
  for (std::size_t end = count; end > 1; --end) {
    heap.swap(0, end - 1);
    heap.sink(0, end - 1);
  }
}

}  // namespace z0
