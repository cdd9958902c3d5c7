# SPDX-License-Identifier: Apache-2.0
# Hardening for every program of the product; sanitizer builds do without (FORTIFY and ASan exclude each other).
include_guard(GLOBAL)
include(CheckPIESupported)
check_pie_supported()          # without it the programs are position independent only where the compiler says so
add_library(tocsin_hardening INTERFACE)
target_compile_definitions(tocsin_hardening INTERFACE _GLIBCXX_ASSERTIONS)
if(NOT TOCSIN_SANITIZE)
  target_compile_options(tocsin_hardening INTERFACE
    -fstack-protector-strong -fstack-clash-protection
    $<$<CXX_COMPILER_ID:GNU>:-ftrivial-auto-var-init=zero>  # clang 14 has it behind another flag
    $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:-fcf-protection=full>
    $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},aarch64>:-mbranch-protection=standard>
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
  target_link_options(tocsin_hardening INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)
endif()
