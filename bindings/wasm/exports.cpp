// The C ABI of include/z0.h over one z0::Core per instance. Everything that thinks is in the core.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#ifdef __EMSCRIPTEN__
#include <wasm_simd128.h>
#endif

#include "z0.h"
#include "z0/core.hpp"
#include "z0/limits.hpp"

namespace {

// Made by the first call instead of a static constructor, so that a module that was only
// instantiated has run nothing.
z0::Core& core() {
  static z0::Core* const instance = new z0::Core;
  return *instance;
}

// A frame that fits is written over the one before. A large one is given back as soon as a smaller
// one comes, because an instance lives for days and one 40 MB read would stay with it.
constexpr std::size_t kept_bytes_max = 1u << 20;

struct Buffer {
  std::uint8_t* bytes = nullptr;
  std::size_t capacity = 0;

  std::uint8_t* room(std::size_t size) {
    if (size <= capacity && (capacity <= kept_bytes_max || size > capacity / 4)) return bytes;
    std::free(bytes);
    capacity = size < 4096 ? 4096 : size;
    bytes = static_cast<std::uint8_t*>(std::malloc(capacity));
    if (bytes == nullptr) __builtin_trap();
    return bytes;
  }
};

constinit Buffer frame;
constinit std::string_view effects;

}  // namespace

extern "C" {

std::uint32_t z0_abi_version(void) { return Z0_ABI_VERSION; }

std::uint8_t* z0_frame(std::uint32_t size) {
  if (size > z0::limits::frame_bytes_max) __builtin_trap();
  return frame.room(size);
}

const std::uint8_t* z0_step(std::uint32_t size) {
  if (size > frame.capacity) __builtin_trap();
  effects = core().step({reinterpret_cast<const char*>(frame.bytes), size});
  return reinterpret_cast<const std::uint8_t*>(effects.data());
}

std::uint32_t z0_effects_size(void) { return static_cast<std::uint32_t>(effects.size()); }

#ifdef __EMSCRIPTEN__
// The C library's loop takes four bytes at a time, and an eighth of the edge's time went into it.
// Overlapping loads at both ends spare the tail loop.
__attribute__((no_builtin("memcpy"))) void* memcpy(void* __restrict to, const void* __restrict from,
                                                   std::size_t n) {
  auto* d = static_cast<unsigned char*>(to);
  const auto* s = static_cast<const unsigned char*>(from);
  if (n >= 16) {
    const v128_t last = wasm_v128_load(s + n - 16);
    unsigned char* const end = d + n - 16;
    for (; d + 48 <= end; d += 48, s += 48) {
      const v128_t a = wasm_v128_load(s);
      const v128_t b = wasm_v128_load(s + 16);
      const v128_t c = wasm_v128_load(s + 32);
      wasm_v128_store(d, a);
      wasm_v128_store(d + 16, b);
      wasm_v128_store(d + 32, c);
    }
    for (; d < end; d += 16, s += 16) wasm_v128_store(d, wasm_v128_load(s));
    wasm_v128_store(end, last);
  } else if (n >= 8) {
    std::uint64_t head, tail;
    __builtin_memcpy(&head, s, 8);
    __builtin_memcpy(&tail, s + n - 8, 8);
    __builtin_memcpy(d, &head, 8);
    __builtin_memcpy(d + n - 8, &tail, 8);
  } else if (n >= 4) {
    std::uint32_t head, tail;
    __builtin_memcpy(&head, s, 4);
    __builtin_memcpy(&tail, s + n - 4, 4);
    __builtin_memcpy(d, &head, 4);
    __builtin_memcpy(d + n - 4, &tail, 4);
  } else if (n != 0) {
    const unsigned char first = s[0];
    const unsigned char middle = s[n / 2];
    const unsigned char last = s[n - 1];
    d[0] = first;
    d[n / 2] = middle;
    d[n - 1] = last;
  }
  return to;
}

// The C++ library's own ones print to stderr, which costs 20 KB and three more imports. A trap
// carries a stack trace anyway.
[[noreturn]] void abort_message(const char*, ...) { __builtin_trap(); }
[[noreturn]] void __assert_fail(const char*, const char*, int, const char*) { __builtin_trap(); }
#endif

}  // extern "C"
