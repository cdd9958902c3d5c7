# SPDX-License-Identifier: Apache-2.0
# What every cross toolchain file shares: the target's libraries come from the sysroot and from nowhere else, tools from the
# machine, and programs of the target run under qemu-user.
set(tocsin_root "$ENV{TOCSIN_SYSROOT}")  # a tree made elsewhere
if(NOT tocsin_root)
  cmake_path(SET tocsin_root NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../../build/sysroot/${tocsin_arch}")
endif()
if(NOT IS_DIRECTORY "${tocsin_root}")
  message(FATAL_ERROR "${tocsin_root} is missing: run tools/sysroot ${tocsin_arch}")
endif()
set(CMAKE_SYSROOT "${tocsin_root}")
set(CMAKE_FIND_ROOT_PATH "${CMAKE_SYSROOT}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# pkg-config would fall back to the machine's own .pc files and link the wrong architecture.
set(ENV{PKG_CONFIG_DIR} "")
set(ENV{PKG_CONFIG_PATH} "")
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${CMAKE_SYSROOT}")
set(ENV{PKG_CONFIG_LIBDIR}
    "${CMAKE_SYSROOT}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig")

# The compiler finds the libraries that libraries need (-rpath-link) by itself in a merged tree only.
foreach(kind EXE SHARED)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT
      "-Wl,-rpath-link,${CMAKE_SYSROOT}/lib/${CMAKE_LIBRARY_ARCHITECTURE}:${CMAKE_SYSROOT}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}")
endforeach()

set(CMAKE_CROSSCOMPILING_EMULATOR "${tocsin_qemu};-L;${CMAKE_SYSROOT}")
