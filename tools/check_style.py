#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""House rules that a script can see. Usage: tools/check_style.py [ROOT]; prints file:line: [rule] finding, exits 1 when
there is one. A line is excused by `style: allow <rule>` in a comment on it, with the reason beside it; a file never is.
"""
import os
import pathlib
import re
import sys

SOURCE_LINES_MAX = 600
HEADER_LINES_MAX = 250
FUNCTION_LINES_MAX = 60
TEST_FUNCTION_LINES_MAX = 100  # a table of cases is one function and still easy to read

CXX_SUFFIXES = {".cpp", ".hpp", ".h", ".c"}
LICENSED_SUFFIXES = CXX_SUFFIXES | {".py", ".sh", ".cmake", ".js", ".css"}
TEXT_SUFFIXES = LICENSED_SUFFIXES | {".md", ".toml", ".json", ".html", ".service", ".txt", ""}
MADE_FOLDERS = {"build", "var", ".git"}  # at the root; elsewhere a folder may have such a name
CACHE_FOLDERS = {"__pycache__", ".pytest_cache"}
DATA = ("tests/golden/", "tests/fuzz/corpus/")  # stored bytes are as they are
LICENSE_TAG = "SPDX-License-Identifier: Apache-2.0"
SELF = {"tools/check_style.py", "tests/tools/test_checks.py"}  # they spell out what they forbid

ANYWHERE = r"(?<![\w.>])(?:std::|::)?"  # not a member: log.system() and the like are other things
BANNED = [
    ("call", re.compile(ANYWHERE + r"(strcpy|strcat|v?sprintf|gets|strtok|alloca)\s*\("), "no bound, or hidden state"),
    ("call", re.compile(ANYWHERE + r"(ato[ilf]|atoll)\s*\("), "cannot report an error: use std::from_chars"),
    ("call", re.compile(ANYWHERE + r"(s?rand)\s*\("), "is predictable: random comes from port/random"),
    ("call", re.compile(ANYWHERE + r"(system|popen)\s*\("), "runs a shell"),
    ("call", re.compile(ANYWHERE + r"(setlocale)\s*\("), "changes number formats of the whole process"),
    ("call", re.compile(r"\b(std::(?:basic_)?w?regex\w*)\b"), "is unbounded in time and stack"),
    ("using", re.compile(r"\b(using\s+namespace\s+std)\s*;"), "lets names of the library in"),
]
BANNED_IN_SRC = [
    ("clock", re.compile(r"(\w*_clock::now|\bclock_gettime|\bgettimeofday|(?<!\w)(?:std)?::time)\s*\("),
     "time comes in as a parameter"),
    ("world", re.compile(ANYWHERE + r"(getenv|fopen|socket|fork|_?exit)\s*\("), "touches the world: that is platform/"),
    ("world", re.compile(r"\bstd::(random_device|cout|cerr|thread)\b"), "touches the world: that is platform/"),
]
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" "DO", "FIX" "ME", "X" "XX", "HA" "CK")) + r")\b")
CONDITIONAL = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b")
WORKPLACE = [
    (re.compile(r"(?<![\w./$}-])/(work|workspace|home|Users)/[\w.]"), "a path of one machine"),
    (re.compile(r"\bfarm-\w"), "a host name of one machine"),
    (re.compile(r"\b(?:shared/\w|(?<!/)(?:design|interfaces|style|reliability|blueking|peers)\.md\b)"),
     "a document that is not in the project"),
]
ALLOW = re.compile(r"style: allow ([\w-]+)")
# Folders that pytest never enters, whatever it is given.
PYTEST_SKIPS = {"build", "dist", "venv", "node_modules", "CVS", "_darcs"}


def blank(match: re.Match) -> str:
    """Keeps line numbers right: everything but the newlines of a comment or literal becomes spaces."""
    return re.sub(r"[^\n]", " ", match.group(0))


LITERALS = re.compile(
    r'R"([^\s()\\]{0,16})\((?:.|\n)*?\)\1"'        # raw string
    r'|//[^\n]*|/\*(?:.|\n)*?\*/'                  # comments
    r'|"(?:\\.|[^"\\\n])*"'                        # string
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'")       # character, not a digit separator


def code_only(text: str) -> str:
    return LITERALS.sub(blank, text)


SCOPE = re.compile(r"(template\s*<.*>\s*)?(inline\s+)?(namespace|class|struct|union|enum|extern)\b", re.S)


def kind_of_brace(head: str, inside: str) -> str:
    """What the text before a brace opens: a scope (namespace, class), the body of a function, or something inner."""
    if inside != "scope":
        return "inner"
    head = re.sub(r"^((public|private|protected)\s*:\s*)+", "", head.strip())
    if SCOPE.match(head) and not re.search(r"\)\s*(const|noexcept|override|final|&|\s)*$", head):
        return "scope"
    return "body" if ")" in head and not head.endswith(("=", "(")) else "inner"


def functions(code: str):
    """(first line, lines of body) of each function in stripped C++: a brace after a parameter list at namespace or class
    scope. Approximate on purpose; it measures, it does not parse."""
    code = re.sub(r"^[ \t]*#[^\n]*(?:\\\n[^\n]*)*", blank, code, flags=re.M)
    stack, head, line = [], "", 1
    for at, char in enumerate(code):
        if char == "{":
            stack.append((kind_of_brace(head, stack[-1][0] if stack else "scope"), line, head))
            head = ""
        elif char == "}" and stack:
            kind, first, before = stack.pop()
            # `Name() : member_{1} {`: the brace pair belongs to the initialisers, the body is still to come.
            initialiser = kind == "body" and code[at + 1:at + 200].lstrip()[:1] in (",", "{")
            head = before + "()" if initialiser else ""
            if kind == "body" and not initialiser:
                yield first, line - first - 1
        elif char == ";":
            head = ""
        else:
            head += char
        if char == "\n":
            line += 1


class Findings:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, name: str, line: int, rule: str, what: str, text: list[str] | None = None) -> None:
        if text and 0 < line <= len(text):
            allowed = ALLOW.search(text[line - 1])
            if allowed and allowed.group(1) == rule:
                return
        self.lines.append(f"{name}:{line}: [{rule}] {what}")


def check_license(name: str, text: str, suffix: str, out: Findings) -> None:
    lines = text.splitlines()
    script = bool(lines) and lines[0].startswith("#!")
    if not (script or suffix in LICENSED_SUFFIXES or name.endswith(("CMakeLists.txt", "Makefile"))):
        return
    at = 1 if script else 0
    if len(lines) <= at or LICENSE_TAG not in lines[at]:
        out.add(name, at + 1, "license", f"this line must say {LICENSE_TAG}")


def check_text(name: str, text: str, out: Findings) -> None:
    lines = text.splitlines()
    if text and not text.endswith("\n"):
        out.add(name, len(lines), "space", "no newline at the end of the file")
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            out.add(name, number, "space", "space at the end of the line", lines)
        if name in SELF:
            continue
        if UNFINISHED.search(line):
            out.add(name, number, "unfinished", f"{UNFINISHED.search(line).group(1)}: finish it or file it", lines)
        for pattern, what in WORKPLACE:
            if pattern.search(line):
                out.add(name, number, "workplace", what, lines)


def check_cxx(name: str, text: str, suffix: str, out: Findings) -> None:
    lines = text.splitlines()
    code = code_only(text)
    limit = HEADER_LINES_MAX if suffix in (".hpp", ".h") else SOURCE_LINES_MAX
    if len(lines) > limit:
        out.add(name, limit + 1, "size", f"{len(lines)} lines; the limit is {limit}")
    test = name.startswith("tests/")
    function_limit = TEST_FUNCTION_LINES_MAX if test else FUNCTION_LINES_MAX
    for first, length in functions(code):
        if length > function_limit:
            out.add(name, first, "size", f"a function of {length} lines; the limit is {function_limit}", lines)
    if suffix == ".hpp" and "#pragma once" not in code:
        out.add(name, 1, "guard", "a header needs #pragma once")
    portable = name.startswith(("src/", "board/")) and not name.startswith("src/programs/")
    for number, line in enumerate(code.splitlines(), 1):
        for rule, pattern, why in BANNED + (BANNED_IN_SRC if portable else []):
            for match in pattern.finditer(line):
                out.add(name, number, rule, f"{match.group(1).strip()}: {why}", lines)
        if not name.startswith("platform/") and CONDITIONAL.match(line):
            out.add(name, number, "conditional", "conditional compilation belongs to platform/", lines)


def built_sources(root: pathlib.Path, names: list[str]) -> set[str]:
    """Every source that some CMake file names, or a file(GLOB) finds: from the file's folder, the project's, or the DIR of
    the call."""
    found = set()
    for name in names:
        if not name.endswith(("CMakeLists.txt", ".cmake")):
            continue
        text = re.sub(r"#[^\n]*", "", (root / name).read_text(errors="replace"))
        here = name.rsplit("/", 1)[0] + "/" if "/" in name else ""
        for call in re.finditer(r"\w+\s*\(([^()]*)\)", text):
            words = call.group(1).replace('"', " ").split()
            bases = ["", here]
            if "DIR" in words[:-1]:
                bases.append(here + words[words.index("DIR") + 1] + "/")
            for word in words:
                if word.endswith((".cpp", ".c")):
                    word = re.sub(r"^\$\{(PROJECT|CMAKE)_SOURCE_DIR\}/", "", word)
                    word = re.sub(r"^\$\{CMAKE_CURRENT_(SOURCE|LIST)_DIR\}/", here, word)
                    found.update(base + word for base in bases)
    for pattern in [name for name in found if "*" in name]:
        depth = pattern.count("/")
        found.update(name for name in names if name.count("/") == depth and pathlib.PurePosixPath(name).match(pattern))
    return found


def check_built(root: pathlib.Path, names: list[str], out: Findings) -> None:
    built = built_sources(root, names)
    for name in names:
        if name.endswith((".cpp", ".c")) and name.startswith(("src/", "platform/", "tests/")) and name not in built:
            out.add(name, 1, "built", "no CMake target has this file, so nothing compiles or runs it")
        if name.startswith("board/") and name.endswith(".cpp"):
            board, rest = name.split("/", 2)[1:]
            if name not in built and f"board/${{BOARD}}/{rest}" not in built:
                out.add(name, 1, "built", f"no CMake target has this file of board {board}")


def check_collected(root: pathlib.Path, names: list[str], out: Findings) -> None:
    makefile = (root / "Makefile").read_text() if (root / "Makefile").exists() else ""
    paths = re.search(r"^PYTEST_PATHS\s*:?=\s*(.*)$", makefile, re.M)
    given = [path.rstrip("/") for path in paths.group(1).split()] if paths else []
    for number, line in enumerate(makefile.splitlines(), 1):
        if "pytest" in line and re.search(r"--(ignore|deselect)|\s-[km]\s(?!pytest)", line):
            out.add("Makefile", number, "collected", "a pytest run of the Makefile leaves tests out", makefile.splitlines())
    for name in names:
        if not name.startswith("tests/") or not name.endswith(".py"):
            continue
        text = (root / name).read_text(errors="replace")
        file_name = name.rsplit("/", 1)[1]
        has_tests = re.search(r"^(?:    )?(?:async )?def test_", text, re.M)
        if re.match(r"test_.*\.py$", file_name):
            skipped = any(part in PYTEST_SKIPS or part.startswith(".") for part in name.split("/")[:-1])
            if skipped or not any(name == path or name.startswith(path + "/") for path in given):
                out.add(name, 1, "collected", "the pytest run of `make test` (PYTEST_PATHS) does not reach this file")
            if not has_tests:
                out.add(name, 1, "collected", "a test file without a test")
        elif has_tests:
            line = text[:has_tests.start()].count("\n") + 1
            out.add(name, line, "collected", "pytest collects tests from files named test_*.py only")
        if re.search(r"^collect_ignore", text, re.M):
            out.add(name, 1, "collected", "collect_ignore leaves tests out")


def project_files(root: pathlib.Path) -> list[str]:
    """Does not look into made folders: builds that run beside it take files out of them at any time."""
    found = []
    for folder, folders, files in os.walk(root):
        base = pathlib.Path(folder).relative_to(root)
        left_out = CACHE_FOLDERS if base.parts else CACHE_FOLDERS | MADE_FOLDERS
        folders[:] = [name for name in folders if name not in left_out]
        found += [(base / name).as_posix() for name in files if name not in left_out]
    return sorted(found)


def check(root: pathlib.Path) -> list[str]:
    out = Findings()
    names = project_files(root)
    for name in names:
        suffix = pathlib.PurePosixPath(name).suffix
        if suffix not in TEXT_SUFFIXES or name == "LICENSE" or (name.startswith(DATA) and suffix not in LICENSED_SUFFIXES):
            continue
        try:
            text = (root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            if suffix in LICENSED_SUFFIXES:
                out.add(name, 1, "space", "not UTF-8")
            continue
        check_license(name, text, suffix, out)
        check_text(name, text, out)
        if suffix in CXX_SUFFIXES:
            check_cxx(name, text, suffix, out)
        elif suffix in (".py", ".js", ".sh") and len(text.splitlines()) > SOURCE_LINES_MAX:
            out.add(name, SOURCE_LINES_MAX + 1, "size", f"{len(text.splitlines())} lines; the limit is {SOURCE_LINES_MAX}")
    check_built(root, names, out)
    check_collected(root, names, out)
    return out.lines


def main() -> int:
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    findings = check(root)
    print("\n".join(findings) if findings else "style: clean")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
