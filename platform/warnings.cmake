# SPDX-License-Identifier: Apache-2.0
# Warnings as a link target: our code gets them, vendor headers do not.
include_guard(GLOBAL)
add_library(tocsin_warnings INTERFACE)
target_compile_options(tocsin_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  $<$<BOOL:${TOCSIN_WERROR}>:-Werror>)
