# SPDX-License-Identifier: Apache-2.0
# Debian's cross compiler for armhf, with the libraries that tools/sysroot armhf unpacks.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-linux-gnueabihf-gcc)
set(CMAKE_CXX_COMPILER arm-linux-gnueabihf-g++)
set(CMAKE_LIBRARY_ARCHITECTURE arm-linux-gnueabihf)
set(tocsin_arch armhf)
set(tocsin_qemu qemu-arm)
include("${CMAKE_CURRENT_LIST_DIR}/sysroot.cmake")

# File offsets are 64 bits wide, time_t stays at 4 bytes: every library of Debian 12 for armhf that passes a time_t
# (GnuTLS certificate times, libcurl dates) was built that way, and -D_TIME_BITS=64 would change only our half of
# such a call. Wide time lives in src/base/time.hpp and is converted where it crosses into a library.
set(CMAKE_CXX_FLAGS_INIT "-D_FILE_OFFSET_BITS=64")
