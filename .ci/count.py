#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sums up the tests of a run: .ci/count.py LOG... A LastTest.log is of ctest, fuzz.log of fuzz targets (each of them counts
as a test), any other of pytest runs. A log that is absent
or has no result counts as failed, so that a run which never came to its tests cannot look like one that passed."""
import pathlib
import re
import sys


def count_pytest(text: str) -> tuple[int, int, int]:
    """The summary lines of pytest runs: passed, failed (errors too), skipped."""
    lines = [line for line in text.splitlines() if re.search(r"\b\d+ (passed|failed|errors?)\b.* in [\d.]+s", line)]
    if not lines:
        return 0, 1, 0
    sums = {"passed": 0, "failed": 0, "error": 0, "skipped": 0}
    for number, word in re.findall(r"(\d+) ([a-z]+)", "\n".join(lines)):
        word = word.removesuffix("s")
        sums[word] = sums.get(word, 0) + int(number)
    return sums["passed"], sums["failed"] + sums["error"], sums["skipped"]


def count_ctest(text: str) -> tuple[int, int, int]:
    """LastTest.log holds each program's output: GoogleTest's own counts, and ctest's verdict on the program."""
    passed = failed = skipped = 0
    programs = re.split(r"(?m)^\d+/\d+ Testing: ", text)[1:]
    for program in programs:
        ran = [int(n) for n in re.findall(r"(?m)^\[  PASSED  \] (\d+) tests?", program)]
        broke = [int(n) for n in re.findall(r"(?m)^\[  FAILED  \] (\d+) tests?", program)]
        skipped += sum(int(n) for n in re.findall(r"(?m)^\[  SKIPPED \] (\d+) tests?", program))
        verdict = re.search(r"(?m)^Test Passed\.$", program) is not None
        passed += sum(ran) if ran or not verdict else 1
        # A crash or a sanitizer's report ends a program without counts, or spoils one that counted only passes.
        failed += sum(broke) if broke else int(not verdict)
    return (passed, failed, skipped) if programs else (0, 1, 0)


def count_fuzz(text: str) -> tuple[int, int, int]:
    verdicts = re.findall(r"(?m)^fuzz \w+: (ok|FAILED)", text)
    return (verdicts.count("ok"), verdicts.count("FAILED"), 0) if verdicts else (0, 1, 0)


def main() -> int:
    passed = failed = skipped = 0
    for name in sys.argv[1:]:
        path = pathlib.Path(name)
        text = path.read_text(errors="replace") if path.exists() else ""
        if path.name == "LastTest.log":
            counts, label = count_ctest(text), f"unit tests, {path.parts[-4]}"
        elif path.name == "fuzz.log":
            counts, label = count_fuzz(text), "fuzz targets"
        else:
            counts, label = count_pytest(text), f"pytest, {path.stem}"
        print(f"{label}: {counts[0]} passed, {counts[1]} failed, {counts[2]} skipped{'' if text else ' (did not run)'}")
        passed, failed, skipped = passed + counts[0], failed + counts[1], skipped + counts[2]
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
