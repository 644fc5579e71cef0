find_package(Threads REQUIRED)
if(STATOR_TESTS)
  find_package(GTest REQUIRED)
endif()

# stator_library(NAME SOURCES a.cc ... LINKS lib ...): one layer, or one folder of a layer.
function(stator_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(stator_${name} STATIC ${arg_SOURCES})
  target_link_libraries(stator_${name} PUBLIC stator_options ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS})
endfunction()

# stator_test(NAME SOURCES a_test.cc ... LINKS lib ... [LABELS l ...] [TIMEOUT s]): one GoogleTest binary,
# one ctest entry of the same name.
function(stator_test name)
  if(NOT STATOR_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINKS;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE stator_options ${arg_LINKS} GTest::gtest GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()
