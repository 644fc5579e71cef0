# Warnings as errors on both compilers, but for four of GCC 12, which stay warnings. They judge what is left
# after inlining, where it does not see what rules a path out any more: it finds std::optional and
# std::expected used before they are set (maybe-uninitialized), and copies in std::string and other
# containers that overlap or go beyond the end (restrict, array-bounds, stringop-overflow). What they are for is
# caught without such guesses: by clang's warnings, clang-tidy and the sanitizers.
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

# A hundred programs are linked; gold, which comes with binutils, takes half of the time of the default.
include(CheckLinkerFlag)
check_linker_flag(CXX -fuse-ld=gold STATOR_HAS_GOLD)
if(STATOR_HAS_GOLD)
  target_link_options(stator_options INTERFACE -fuse-ld=gold)
endif()
