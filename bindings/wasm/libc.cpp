// What the module brings instead of the C and C++ libraries' own.
// Empty for a compiler of the machine's own, such as the one that clang-tidy reads with.
#ifdef __EMSCRIPTEN__
#include <wasm_simd128.h>

#include <cstddef>
#include <cstdint>

extern "C" {

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

}  // extern "C"

#endif
