# SPDX-License-Identifier: Apache-2.0
# Warnings as a link target: our code gets them, vendor headers do not.
include_guard(GLOBAL)
add_library(tocsin_warnings INTERFACE)
target_compile_options(tocsin_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wdeprecated-copy-dtor -Wimplicit-fallthrough -Wformat=2
  # GCC 12 takes `"text" + std::string()` for overlapping copies when it inlines (its bug 105651, fixed in 13).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  # A note on every vector on 32-bit ARM: the calling convention changed in GCC 7.1, and nothing older is linked.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},arm>>:-Wno-psabi>
  $<$<BOOL:${TOCSIN_WERROR}>:-Werror>)

# What tests take back; linked after tocsin_warnings. On a 32-bit target numbers of 64 bits make sizes all over the tests
# (random() % size): the product's own conversions are what matters.
add_library(tocsin_test_warnings INTERFACE)
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
  target_compile_options(tocsin_test_warnings INTERFACE -Wno-conversion)
endif()
