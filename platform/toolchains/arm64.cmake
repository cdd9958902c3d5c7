# SPDX-License-Identifier: Apache-2.0
# Debian's cross compiler for arm64, with the libraries that tools/sysroot arm64 unpacks.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(tocsin_arch arm64)
set(tocsin_qemu qemu-aarch64)
include("${CMAKE_CURRENT_LIST_DIR}/sysroot.cmake")
