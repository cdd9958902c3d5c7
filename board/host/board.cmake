# SPDX-License-Identifier: Apache-2.0
# Any processor: the machine that builds is the machine that runs.
set(TOCSIN_BOARD_PROCESSORS "")
