# SPDX-License-Identifier: Apache-2.0
set(TOCSIN_BOARD_PROCESSORS arm armv7l)
