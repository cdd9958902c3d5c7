# SPDX-License-Identifier: Apache-2.0
# Hardening for every program of the product; sanitizer builds do without (FORTIFY and ASan exclude each other).
include_guard(GLOBAL)
add_library(tocsin_hardening INTERFACE)
if(NOT TOCSIN_SANITIZE)
  target_compile_options(tocsin_hardening INTERFACE
    -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero
    $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:-fcf-protection=full>
    $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},aarch64>:-mbranch-protection=standard>
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
  target_compile_definitions(tocsin_hardening INTERFACE _GLIBCXX_ASSERTIONS)
  target_link_options(tocsin_hardening INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)
endif()
