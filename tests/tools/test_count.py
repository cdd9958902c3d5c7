# SPDX-License-Identifier: Apache-2.0
"""The sum at the end of .ci/run is of tests that ran; what did not run counts as failed."""
import pathlib
import subprocess
import sys

import pytest

COUNT = pathlib.Path(__file__).resolve().parents[2] / ".ci" / "count.py"
PASSING = "1/2 Testing: base_test\n[==========] 6 tests ran.\n[  PASSED  ] 6 tests.\nTest Passed.\n"
FAILING = "2/2 Testing: log_test\n[  PASSED  ] 1 test.\n[  FAILED  ] 2 tests, listed below:\nTest Failed.\n"
CRASHED = "2/2 Testing: log_test\n[ RUN      ] Log.A\nTest Failed.\n"
SPOILED = "2/2 Testing: log_test\n[  PASSED  ] 3 tests.\n==1==ERROR: LeakSanitizer\nTest Failed.\n"
SKIPPING = "2/2 Testing: log_test\n[  PASSED  ] 1 test.\n[  SKIPPED ] 1 test, listed below:\nTest Passed.\n"
OTHER = "2/2 Testing: header_check\nTest Passed.\n"


def last_line(tmp_path, pytest_log, ctest_log):
    names = [tmp_path / "test.log", tmp_path / "release" / "Testing" / "Temporary" / "LastTest.log"]
    names[1].parent.mkdir(parents=True)
    for name, text in zip(names, (pytest_log, ctest_log)):
        if text is not None:
            name.write_text(text)
    done = subprocess.run([sys.executable, COUNT, *names], capture_output=True, text=True, check=False)
    line = done.stdout.splitlines()[-1]
    assert (done.returncode == 0) == line.endswith(", 0 failed")
    return line


@pytest.mark.parametrize("pytest_log, ctest_log, line", [
    ("..\n2 passed in 0.10s\n", PASSING, "8 passed, 0 failed"),
    ("1 failed, 2 passed, 1 skipped in 61.00s (0:01:01)\n", PASSING, "8 passed, 1 failed"),
    ("1 passed, 2 errors in 1.00s\n", PASSING, "7 passed, 2 failed"),
    ("==== 3 passed, 1 warning in 1.00s ====\n", PASSING + FAILING, "10 passed, 2 failed"),
    ("2 passed in 0.10s\nand another run\n3 passed, 1 failed in 0.10s\n", PASSING, "11 passed, 1 failed"),
    ("2 passed in 0.10s\n", PASSING + CRASHED, "8 passed, 1 failed"),
    ("2 passed in 0.10s\n", PASSING + SPOILED, "11 passed, 1 failed"),
    ("2 passed in 0.10s\n", PASSING + SKIPPING, "9 passed, 0 failed"),
    ("2 passed in 0.10s\n", PASSING + OTHER, "9 passed, 0 failed"),
    ("make: *** [Makefile:40: test] Error 1\n", PASSING, "6 passed, 1 failed"),
    (None, PASSING, "6 passed, 1 failed"),
    ("2 passed in 0.10s\n", None, "2 passed, 1 failed"),
    ("2 passed in 0.10s\n", "Start testing\n", "2 passed, 1 failed"),
])
def test_the_last_line_sums_up_what_ran(tmp_path, pytest_log, ctest_log, line):
    assert last_line(tmp_path, pytest_log, ctest_log) == line


@pytest.mark.parametrize("log, line", [
    ("fuzz json: ok, 17 runs in 60 s\nfuzz push: ok, 4 runs in 60 s\n", "2 passed, 0 failed"),
    ("fuzz json: ok, 17 runs in 60 s\nfuzz push: FAILED (77), SUMMARY: x: build/f\n", "1 passed, 1 failed"),
    ("make: *** [Makefile:9: fuzz] Error 1\n", "0 passed, 1 failed"),
    (None, "0 passed, 1 failed"),
])
def test_each_fuzz_target_counts_as_a_test(tmp_path, log, line):
    name = tmp_path / "fuzz.log"
    if log is not None:
        name.write_text(log)
    done = subprocess.run([sys.executable, COUNT, name], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == line
    assert (done.returncode == 0) == line.endswith(", 0 failed")
