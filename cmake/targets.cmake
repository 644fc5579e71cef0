find_package(Threads REQUIRED)
if(STATOR_TESTS)
  find_package(GTest REQUIRED)
endif()

# The shelves of style and of ./check. A test stands on exactly one of them; it may carry further
# labels: `tsan` (also run under ThreadSanitizer), `slow` (only in ./check full).
set(STATOR_SHELVES unit paper golden contract fuzz sim process clients bench-smoke)
# Tests of these shelves start processes, open ports or measure, so they never run side by side.
set(STATOR_SERIAL_SHELVES process clients bench-smoke)

# Aggregates: `cmake --build ... --target unit_tests` builds the binaries of one shelf.
foreach(shelf IN LISTS STATOR_SHELVES ITEMS tsan)
  string(REPLACE "-" "_" target ${shelf})
  add_custom_target(${target}_tests)
endforeach()
add_custom_target(fuzzers)

# Several sources of a target are compiled at a time, in half of the time, but for those of APART, which use a name
# of their own for something else than their neighbours do. STATOR_TOGETHER of a preset says whose: those of TESTS
# where the product must show that each of its sources compiles alone, or ALL.
function(_stator_together target how_many apart)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${how_many})
  set_source_files_properties(${apart} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# stator_library(NAME SOURCES a.cc ... LINKS lib ... PRIVATE_LINKS lib ... [APART b.cc ...]): one layer, or one folder
# of a layer, as target stator_NAME.
function(stator_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRIVATE_LINKS;APART" ${ARGN})
  add_library(stator_${name} STATIC ${arg_SOURCES})
  if(STATOR_TOGETHER STREQUAL "ALL")
    _stator_together(stator_${name} 8 "${arg_APART}")
  endif()
  target_link_libraries(stator_${name} PUBLIC stator_options ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS})
endfunction()

# stator_executable(NAME SOURCES main.cc ... LINKS lib ...): a program at the top of the build folder,
# e.g. build/release/stator.
function(stator_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE stator_options ${arg_LINKS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()

# What every ctest entry has in common: shelf, labels, time limit, place in the aggregates. `target`
# may be empty.
function(_stator_register test target labels timeout environment)
  set(shelf "")
  foreach(label IN LISTS labels)
    if(label IN_LIST STATOR_SHELVES)
      if(shelf)
        message(FATAL_ERROR "test ${test} stands on two shelves: ${shelf} and ${label}")
      endif()
      set(shelf ${label})
    endif()
  endforeach()
  if(NOT shelf)
    set(shelf unit)
    list(APPEND labels unit)
  endif()
  if(NOT timeout)
    set(timeout 300)
  endif()
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    math(EXPR timeout "${timeout} * 4")
  endif()
  set_tests_properties(${test} PROPERTIES TIMEOUT ${timeout} LABELS "${labels}"
    ENVIRONMENT "${environment}")
  if(shelf IN_LIST STATOR_SERIAL_SHELVES)
    set_tests_properties(${test} PROPERTIES RUN_SERIAL ON)
  endif()
  if(target)
    foreach(label IN LISTS labels)
      string(REPLACE "-" "_" aggregate ${label})
      if(TARGET ${aggregate}_tests)
        add_dependencies(${aggregate}_tests ${target})
      endif()
    endforeach()
  endif()
endfunction()

# GoogleTest is most of what the compiler reads for a test; GCC reads it once for all of them. STATOR_TEST_FLAGS: what
# sets the compiling of tests apart. Optimizing what runs for a moment would take most of the time of a build.
if(STATOR_TESTS AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  file(CONFIGURE OUTPUT gtest_headers.cc CONTENT "// Compiled so that its precompiled header exists.\n")
  add_library(stator_gtest_headers OBJECT ${CMAKE_BINARY_DIR}/gtest_headers.cc)
  target_link_libraries(stator_gtest_headers PRIVATE stator_options GTest::gtest GTest::gmock)
  set_target_properties(stator_gtest_headers PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(stator_gtest_headers PRIVATE ${STATOR_TEST_FLAGS} -fpch-preprocess -fPIE)  # as programs
  target_precompile_headers(stator_gtest_headers PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
endif()

# stator_test_options(NAME): NAME is a program of tests, or a library for them.
function(stator_test_options name)
  target_link_libraries(${name} PUBLIC stator_options GTest::gtest GTest::gmock)
  target_compile_options(${name} PRIVATE ${STATOR_TEST_FLAGS})
  if(TARGET stator_gtest_headers)
    target_compile_options(${name} PRIVATE -fpch-preprocess)
    target_precompile_headers(${name} REUSE_FROM stator_gtest_headers)
    get_target_property(type ${name} TYPE)
    if(NOT type STREQUAL "EXECUTABLE")
      set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
      target_compile_options(${name} PRIVATE -fPIE)
    endif()
  endif()
endfunction()

# stator_test(NAME SOURCES a_test.cc ... LINKS lib ... [LABELS shelf ...] [TIMEOUT s] [COST s] [OPTIMIZED]
# [PARTS n] [APART b_test.cc ...]): one GoogleTest binary, one ctest entry of the same name. Its cases are counted from
# the report that it leaves in <build>/gtest. Of tests that run side by side the one of the highest COST begins.
# OPTIMIZED: compiled like the product, since most of what it runs is its own. PARTS: as many entries, NAME_2 and so on,
# which share the cases.
function(stator_test name)
  if(NOT STATOR_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "OPTIMIZED" "TIMEOUT;COST;PARTS" "SOURCES;LINKS;LABELS;APART" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE stator_options ${arg_LINKS} GTest::gtest GTest::gmock GTest::gtest_main)
  if(NOT arg_OPTIMIZED)
    stator_test_options(${name})
  endif()
  if(STATOR_TOGETHER)
    _stator_together(${name} 4 "${arg_APART}")
  endif()
  if(NOT arg_PARTS)
    set(arg_PARTS 1)
  endif()
  foreach(part RANGE 1 ${arg_PARTS})
    set(entry ${name})
    if(part GREATER 1)
      set(entry ${name}_${part})
    endif()
    math(EXPR index "${part} - 1")
    add_test(NAME ${entry} COMMAND ${name})
    _stator_register(${entry} ${name} "${arg_LABELS}" "${arg_TIMEOUT}" "GTEST_OUTPUT=json:${CMAKE_BINARY_DIR}/gtest/${entry}.json;GTEST_TOTAL_SHARDS=${arg_PARTS};GTEST_SHARD_INDEX=${index}")
    if(arg_COST)
      set_tests_properties(${entry} PROPERTIES COST ${arg_COST})
    endif()
  endforeach()
endfunction()

# stator_script_test(NAME COMMAND program args ... LABELS shelf ... [TIMEOUT s] [BESIDE]): a test that is a
# script, run in the source folder with STATOR_BINARY set to the program under test. It counts as one
# case, or as what it says in a last line `N passed, M failed` (Python's unittest is understood too). BESIDE: on a shelf
# whose tests run alone it may run beside another one: it waits for most of its time, and judges no speed.
function(stator_script_test name)
  if(NOT STATOR_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "BESIDE" "TIMEOUT" "COMMAND;LABELS" ${ARGN})
  add_test(NAME ${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  _stator_register(${name} "" "${arg_LABELS}" "${arg_TIMEOUT}"
    "STATOR_BINARY=${CMAKE_BINARY_DIR}/stator;PYTHONDONTWRITEBYTECODE=1")
  if(arg_BESIDE)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL OFF)
  endif()
endfunction()

# stator_fuzz(NAME SOURCES a_fuzz.cc ... LINKS lib ...): a plain LLVMFuzzerTestOneInput. With
# STATOR_FUZZ a libFuzzer binary; without it a binary that replays test/fuzz/corpus/NAME, on the shelf
# `fuzz`, so that every compiler runs the corpus.
function(stator_fuzz name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  set_property(GLOBAL APPEND PROPERTY STATOR_FUZZ_TARGETS ${name})
  if(STATOR_FUZZ)
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE stator_options ${arg_LINKS} -fsanitize=fuzzer)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    add_dependencies(fuzzers ${name})
  elseif(STATOR_TESTS)
    add_executable(${name} ${arg_SOURCES} ${CMAKE_SOURCE_DIR}/test/fuzz/replay_main.cc)
    target_link_libraries(${name} PRIVATE stator_options ${arg_LINKS})
    add_test(NAME ${name} COMMAND ${name} ${CMAKE_SOURCE_DIR}/test/fuzz/corpus/${name})
    _stator_register(${name} ${name} "fuzz" 120 "")
  endif()
endfunction()
