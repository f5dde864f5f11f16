// One name for the test framework: version 3 where it is installed, version 2 otherwise.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>  // IWYU pragma: export
#else
#include <catch2/catch.hpp>  // IWYU pragma: export
#endif

namespace z0::test {
// Sanitizers make a test that counts to a million take a minute. In WebAssembly, where the same tests run as
// well, it takes a second: there it counts all the way.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define Z0_TEST_SANITIZED 1
#endif
#endif
#ifdef Z0_TEST_SANITIZED
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
}  // namespace z0::test
