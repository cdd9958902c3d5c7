# SPDX-License-Identifier: Apache-2.0
# The board of this build: BOARD names a folder of board/; its profile becomes layer `board`.
include_guard(GLOBAL)
if(NOT EXISTS "${PROJECT_SOURCE_DIR}/board/${BOARD}/profile.cpp")
  message(FATAL_ERROR "BOARD is a folder of board/, not ${BOARD}")
endif()
include("${PROJECT_SOURCE_DIR}/board/${BOARD}/board.cmake")
if(TOCSIN_BOARD_PROCESSORS AND NOT CMAKE_SYSTEM_PROCESSOR IN_LIST TOCSIN_BOARD_PROCESSORS)
  message(FATAL_ERROR "board ${BOARD} is for ${TOCSIN_BOARD_PROCESSORS}, this build is for ${CMAKE_SYSTEM_PROCESSOR}: name the toolchain file")
endif()
