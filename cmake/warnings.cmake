# Warnings as errors on both compilers; the four that GCC 12 gets wrong stay warnings (docs/design/).
add_library(stator_options INTERFACE)
target_include_directories(stator_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(stator_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -Wimplicit-fallthrough -Wcast-qual -Wformat=2 -Wundef -Wunused-result -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(stator_options INTERFACE
    -Wno-error=maybe-uninitialized -Wno-error=stringop-overflow -Wno-error=array-bounds -Wno-error=restrict)
else()
  target_compile_options(stator_options INTERFACE -Wthread-safety)
endif()
