// operator new and delete: small blocks from lists by size. A request takes a hundred of them, and
// emmalloc, which looks for the best place and joins what is free, took an eighth of its time.
//
// A page of 4 KiB holds blocks of one size. Freed blocks stay with their size, so memory is bounded
// by the most that was ever in use of each; large blocks, and all that calls malloc by itself, are
// emmalloc's. Which page is whose stands in a table, a byte a page, so a block needs no header.
// Empty for a compiler of the machine's own, such as the one that clang-tidy reads with.
#ifdef __EMSCRIPTEN__
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "z0/base/trap.hpp"

namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t step_bytes = 16;  // sizes are multiples, and so are addresses
constexpr std::size_t small_bytes = 512;
constexpr std::size_t sizes = small_bytes / step_bytes;
// Pages come from emmalloc so many at a time.
constexpr std::size_t chunk_pages = 8;
// Of the memory that bindings/wasm/wasm.cmake allows.
constexpr std::size_t memory_bytes_max = std::size_t{96} << 20;

struct Block {
  Block* next;
};

constinit Block* free_blocks[sizes] = {};
// 0: not ours; else 1 + the place of its size.
constinit std::uint8_t size_of_page[memory_bytes_max / page_bytes] = {};
constinit char* next_page = nullptr;
constinit std::size_t pages_left = 0;

std::uint8_t& page_of(const void* block) {
  return size_of_page[reinterpret_cast<std::uintptr_t>(block) / page_bytes];
}

void* must(void* block) {
  if (block == nullptr) z0::trap("memory is left");
  return block;
}

// A page for blocks of this size; all but one of them become free.
__attribute__((noinline)) void* take_page(std::size_t size) {
  if (pages_left == 0) {
    next_page = static_cast<char*>(must(std::aligned_alloc(page_bytes, chunk_pages * page_bytes)));
    pages_left = chunk_pages;
  }
  char* const page = next_page;
  next_page += page_bytes;
  --pages_left;
  page_of(page) = static_cast<std::uint8_t>(size + 1);
  const std::size_t bytes = (size + 1) * step_bytes;
  for (std::size_t at = page_bytes / bytes * bytes; (at -= bytes) > 0;) {
    auto* const block = reinterpret_cast<Block*>(page + at);
    block->next = free_blocks[size];
    free_blocks[size] = block;
  }
  return page;
}

void* take(std::size_t bytes) {
  if (bytes > small_bytes) return must(std::malloc(bytes));
  const std::size_t size = bytes == 0 ? 0 : (bytes - 1) / step_bytes;
  Block* const block = free_blocks[size];
  if (block == nullptr) return take_page(size);
  free_blocks[size] = block->next;
  return block;
}

void give_back(void* block) noexcept {
  const std::uint8_t owner = page_of(block);
  if (owner == 0) return std::free(block);  // null as well: nothing of ours lies in page 0
  auto* const freed = static_cast<Block*>(block);
  freed->next = free_blocks[owner - 1];
  free_blocks[owner - 1] = freed;
}

}  // namespace

void* operator new(std::size_t bytes) { return take(bytes); }
void* operator new[](std::size_t bytes) { return take(bytes); }
void operator delete(void* block) noexcept { give_back(block); }
void operator delete[](void* block) noexcept { give_back(block); }
void operator delete(void* block, std::size_t) noexcept { give_back(block); }
void operator delete[](void* block, std::size_t) noexcept { give_back(block); }

#endif
