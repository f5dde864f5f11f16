# The WebAssembly build: z0.wasm for the Worker, and unit tests as a WASI program.

target_compile_options(z0 PUBLIC -msimd128)

# What runs for each fact, or each append. All else runs once a request, or less, and is built for size: a
# third of the module, and nothing measurable. A library of its own, since a precompiled header knows one
# kind of optimisation, and em++ does not inline at -O3 what -Os stands before.
set(hot base/ids base/sha256 base/sha256_lanes calls/message core/core edge/answer edge/post facts/fact
        facts/read facts/rules folds/cached_state json/json ledger/admit ledger/append ledger/id_index ledger/ledger
        ledger/state ledger/write json/write reporting/projection tree/merkle wire/effects wire/frame)
list(TRANSFORM hot REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/src/\\1.cpp")
set(cold ${z0_sources})
list(REMOVE_ITEM cold ${hot})
add_library(z0_cold OBJECT ${cold})
target_include_directories(z0_cold PUBLIC include PRIVATE src)
target_include_directories(z0_cold SYSTEM PUBLIC "${linked_headers}")
target_compile_options(z0_cold PRIVATE -fno-exceptions -fno-rtti -msimd128 -Os)
target_link_libraries(z0_cold PUBLIC z0_flags)
precompile_headers(z0_cold ${common_headers})
compile_by_room(z0_cold)
set_target_properties(z0 PROPERTIES SOURCES "${hot}")
target_sources(z0 PRIVATE $<TARGET_OBJECTS:z0_cold>)

# One list of exports for the linker and for tests/wasm.
set(exports_file "${CMAKE_CURRENT_LIST_DIR}/exports.txt")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${exports_file}")
file(STRINGS "${exports_file}" exports)
list(TRANSFORM exports PREPEND "_")
list(JOIN exports "," exports)

# The stack's option changed its name with Emscripten 3.1.25.
set(stack_option STACK_SIZE)
if(EMSCRIPTEN_VERSION VERSION_LESS 3.1.25)
  set(stack_option TOTAL_STACK)
endif()

# 1 MB to begin with, because every isolate pays for it. 96 MB at most, of the isolate's 128. The
# stack lies below the data, so an overflow traps instead of writing over it.
add_executable(z0_wasm bindings/wasm/exports.cpp bindings/wasm/heap.cpp bindings/wasm/libc.cpp)
set_target_properties(z0_wasm PROPERTIES OUTPUT_NAME z0 SUFFIX .wasm)
target_compile_options(z0_wasm PRIVATE -fno-exceptions -fno-rtti)
target_link_libraries(z0_wasm PRIVATE z0)
target_link_options(z0_wasm PRIVATE
  -O3 -fno-exceptions -fno-rtti --no-entry
  -sSTANDALONE_WASM=1 -sEXPORTED_FUNCTIONS=${exports}
  -sMALLOC=emmalloc -sALLOW_MEMORY_GROWTH=1 -sINITIAL_MEMORY=1MB -sMAXIMUM_MEMORY=96MB
  -s${stack_option}=256KB -Wl,--stack-first)
set_target_properties(z0_wasm PROPERTIES LINK_DEPENDS "${exports_file}")

# Copied only when it differs, so that a running `wrangler dev` reloads only when there is a reason.
set(published "${PROJECT_SOURCE_DIR}/bindings/worker/z0.wasm")
add_custom_command(OUTPUT "${published}"
  COMMAND "${CMAKE_COMMAND}" -E copy_if_different "$<TARGET_FILE:z0_wasm>" "${published}"
  DEPENDS z0_wasm COMMENT "bindings/worker/z0.wasm")
add_custom_target(z0_wasm_published ALL DEPENDS "${published}")

# What tests/bench times by itself, with the same flags.
add_executable(z0_bench_loops EXCLUDE_FROM_ALL tests/bench/wasm/loops.cpp bindings/wasm/heap.cpp
               bindings/wasm/libc.cpp)
set_target_properties(z0_bench_loops PROPERTIES SUFFIX .wasm)
target_compile_options(z0_bench_loops PRIVATE -fno-exceptions -fno-rtti)
target_link_libraries(z0_bench_loops PRIVATE z0)
set(bench_exports spans counts observations span count observation effects values insert clear merge quantile)
list(TRANSFORM bench_exports PREPEND "_bench_")
list(JOIN bench_exports "," bench_exports)
target_link_options(z0_bench_loops PRIVATE
  -O3 -fno-exceptions -fno-rtti --no-entry -sSTANDALONE_WASM=1 -sEXPORTED_FUNCTIONS=${bench_exports}
  -sMALLOC=emmalloc -sALLOW_MEMORY_GROWTH=1 -sMAXIMUM_MEMORY=96MB)

# The unit tests that need nothing but the core (no SQLite, no files, no processes), as a WASI
# program: the same assertions, with the other compiler and 32-bit pointers. Catch2 version 2 is one
# header, so it compiles here too. It needs exceptions; the core is built without, as ever.
link_header_directory(catch2)
function(needs_host source result)
  file(STRINGS "${source}" host_includes REGEX "#include \".*(world|cli|bindings|unit/traps).*\"|sqlite|filesystem|sys/wait")
  set(needs ${host_includes})
  # What the headers of the tests need, their tests do.
  file(STRINGS "${source}" headers REGEX "#include \"unit/")
  foreach(header IN LISTS headers)
    string(REGEX REPLACE ".*\"(.*)\".*" "tests/\\1" header "${header}")
    needs_host("${PROJECT_SOURCE_DIR}/${header}" header_needs)
    list(APPEND needs ${header_needs})
  endforeach()
  set(${result} ${needs} PARENT_SCOPE)
endfunction()
set(core_tests)
foreach(source IN LISTS unit_sources)
  needs_host("${source}" host_includes)
  if(NOT host_includes AND NOT source MATCHES "/cli/")
    list(APPEND core_tests "${source}")
  endif()
endforeach()
if(EXISTS "${linked_headers}/catch2/catch.hpp")
  # The tests were written where size_t has 64 bits; the core was not.
  set_source_files_properties(${core_tests} PROPERTIES COMPILE_OPTIONS -Wno-shorten-64-to-32)
  add_executable(z0_core_tests EXCLUDE_FROM_ALL ${core_tests})
  set_target_properties(z0_core_tests PROPERTIES SUFFIX .wasm)
  target_include_directories(z0_core_tests PRIVATE tests "${PROJECT_SOURCE_DIR}")
  target_compile_options(z0_core_tests PRIVATE -O1 -fwasm-exceptions)
  target_compile_definitions(z0_core_tests PRIVATE CATCH_CONFIG_NO_POSIX_SIGNALS
                             Z0_SOURCE_DIR="/")
  target_link_libraries(z0_core_tests PRIVATE z0)
  precompile_headers(z0_core_tests ${common_headers} "${PROJECT_SOURCE_DIR}/tests/unit/catch.hpp")
  set_source_files_properties(tests/unit/main.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  target_link_options(z0_core_tests PRIVATE -O1 -fwasm-exceptions -sSTANDALONE_WASM=1
    -sALLOW_MEMORY_GROWTH=1 -sINITIAL_MEMORY=16MB -s${stack_option}=1MB)
endif()
