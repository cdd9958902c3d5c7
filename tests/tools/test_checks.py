# SPDX-License-Identifier: Apache-2.0
"""The checkers report each violation with file and line, and stay silent on what is right."""
import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
TAG = "// SPDX-License-Identifier: Apache-2.0\n"
HASH_TAG = "# SPDX-License-Identifier: Apache-2.0\n"


@pytest.fixture
def tree(tmp_path):
    """A scratch project; tree(name, text) writes a file of it."""
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    write.root = tmp_path
    return write


def findings(tool, tree):
    done = subprocess.run([sys.executable, TOOLS / tool, tree.root], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert (done.returncode == 0) == (lines in (["layers: clean"], ["style: clean"]))
    return [] if done.returncode == 0 else lines


LAYER_CASES = {
    "a higher rank": ("src/model/a.hpp", '#include "src/core/b.hpp"', "(rank 2) may not include src/core (rank 4)"),
    "a sibling": ("src/alert/a.hpp", '#include "src/audit/b.hpp"', "same rank"),
    "platform from src": ("src/core/a.cpp", '#include "platform/lmdb/env.hpp"', "src/ does not know platform/lmdb"),
    "board from src": ("src/config/a.cpp", '#include "board/host/profile.hpp"', "src/ does not know board/host"),
    "a program": ("src/api/a.cpp", '#include "src/programs/wiring.hpp"', "nothing includes them"),
    "a folder without rank": ("src/helpers/a.cpp", "int a;", "has no rank"),
    "another platform folder": ("platform/linux/a.cpp", '#include "platform/lmdb/env.hpp"', "not platform/lmdb"),
    "model from platform": ("platform/lmdb/a.cpp", '#include "src/model/alert.hpp"', "not src/model"),
    "another board": ("board/host/profile.cpp", '#include "board/qemu-arm64/profile.hpp"', "not board/qemu-arm64"),
    "a board past the profile": ("board/host/profile.cpp", '#include "src/core/turn.hpp"', "not src/core"),
    "a relative path": ("src/core/a.cpp", '#include "turn.hpp"', "from the project's root"),
    "a path through ..": ("src/core/a.cpp", '#include "src/core/../api/x.hpp"', "from the project's root"),
    "a computed include": ("src/core/a.cpp", "#include HEADER", "computed include"),
    "a vendor header in src": ("src/core/a.cpp", "#include <lmdb.h>", "home in platform/lmdb"),
    "a vendor header next door": ("platform/linux/a.cpp", "#include <gnutls/gnutls.h>", "home in platform/gnutls"),
    "a vendor header in a program": ("src/programs/a.cpp", "#include <curl/curl.h>", "home in platform/curl"),
    "a JSON parser outside json": ("src/ingest/a.cpp", "#include <simdjson.h>", "home in src/json"),
    "a system header in src": ("src/log/a.cpp", "#include <unistd.h>", "not a standard C++ header"),
    "a system folder in src": ("src/log/a.cpp", "#  include <sys/mman.h>", "not a standard C++ header"),
    "threads in src": ("src/core/a.cpp", "#include <thread>", "belong to platform/"),
    "files in a board": ("board/host/profile.cpp", "#include <fstream>", "belong to platform/"),
    "an unknown library": ("platform/linux/a.cpp", "#include <zmq.h>", "needs its row"),
}


@pytest.mark.parametrize("case", LAYER_CASES, ids=lambda c: c.replace(" ", "-"))
def test_an_include_in_the_wrong_direction_is_reported_with_its_line(tree, case):
    name, line, said = LAYER_CASES[case]
    tree(name, TAG + "\n" + line + "\n")
    found = findings("check_layers.py", tree)
    assert len(found) == 1
    at = 1 if "has no rank" in said else 3
    assert found[0].startswith(f"{name}:{at}: ")
    assert said in found[0]


@pytest.mark.parametrize("name, line", [
    ("src/core/a.cpp", '#include "src/alert/b.hpp"'),
    ("src/core/a.cpp", '#include "src/core/b.hpp"'),
    ("src/core/a.cpp", "#include <vector>"),
    ("src/json/a.cpp", "#include <cjson/cJSON.h>"),
    ("src/config/a.cpp", "#include <toml++/toml.h>"),
    ("platform/lmdb/a.cpp", "#include <lmdb.h>"),
    ("platform/lmdb/a.cpp", "#include <sys/stat.h>"),
    ("platform/lmdb/a.cpp", '#include "src/port/store.hpp"'),
    ("platform/microhttpd/a.cpp", '#include "platform/linux/loop.hpp"'),
    ("board/host/profile.cpp", '#include "src/config/board.hpp"'),
    ("board/host/profile.cpp", '#include "board/base/profile.hpp"'),
    ("src/programs/a.cpp", '#include "platform/lmdb/env.hpp"'),
    ("src/programs/a.cpp", "#include <unistd.h>"),
    ("src/core/a.cpp", '// #include "src/api/b.hpp"'),
])
def test_an_include_in_the_right_direction_is_silent(tree, name, line):
    tree(name, TAG + line + "\n")
    assert findings("check_layers.py", tree) == []


def test_an_include_needs_the_layer_in_the_depends_list(tree):
    tree("CMakeLists.txt", "tocsin_add_layer(base DIR src/base)\ntocsin_add_layer(port DIR src/port DEPENDS base)\n"
         "tocsin_add_layer(log DIR src/log SOURCES a.cpp DEPENDS port)\ntocsin_add_layer(model DIR src/model)\n")
    tree("src/log/a.cpp", '#include "src/base/a.hpp"\n#include "src/model/a.hpp"\n')
    found = findings("check_layers.py", tree)
    assert len(found) == 1 and found[0].startswith("src/log/a.cpp:2: src/model is not in the DEPENDS of src/log")


def test_the_depends_lists_do_not_bind_programs(tree):
    tree("CMakeLists.txt", "tocsin_add_layer(core DIR src/core)\ntocsin_add_layer(ctl DIR src/programs SOURCES a.cpp)\n")
    tree("src/programs/a.cpp", '#include "src/core/a.hpp"\n')
    assert findings("check_layers.py", tree) == []


def built(*names):
    return HASH_TAG + "add_library(all " + " ".join(names) + ")\n"


STYLE_CASES = {
    "no license": ("src/core/a.hpp", "#pragma once\n", 1, "license"),
    "no license in a script": ("tools/a", "#!/bin/bash\necho\n", 2, "license"),
    "an unbounded copy": ("src/core/a.hpp", TAG + "#pragma once\nvoid f() { strcpy(a, b); }\n", 3, "call"),
    "a qualified unbounded print": ("src/core/a.hpp", TAG + "#pragma once\nint x = std::sprintf(a, b);\n", 3, "call"),
    "a shell": ("src/core/a.hpp", TAG + "#pragma once\nint x = ::system(a);\n", 3, "call"),
    "a pipe to a shell": ("platform/linux/a.hpp", TAG + "#pragma once\nauto* p = popen(a, b);\n", 3, "call"),
    "a locale": ("src/core/a.hpp", TAG + "#pragma once\nauto* p = setlocale(a, b);\n", 3, "call"),
    "predictable random": ("src/core/a.hpp", TAG + "#pragma once\nint x = rand();\n", 3, "call"),
    "a number that cannot fail": ("src/core/a.hpp", TAG + "#pragma once\nint x = atoi(a);\n", 3, "call"),
    "std::regex": ("src/core/a.hpp", TAG + "#pragma once\nstd::regex r;\n", 3, "call"),
    "all of std": ("src/core/a.hpp", TAG + "#pragma once\nusing namespace std;\n", 3, "using"),
    "a clock in src": ("src/core/a.hpp", TAG + "#pragma once\nauto t = std::chrono::steady_clock::now();\n", 3, "clock"),
    "the environment in src": ("src/core/a.hpp", TAG + "#pragma once\nauto* p = std::getenv(a);\n", 3, "world"),
    "unfinished work": ("src/core/a.hpp", TAG + "#pragma once\n// TODO later\n", 3, "unfinished"),
    "unfinished prose": ("README.md", "a\nFIXME\n", 2, "unfinished"),
    "an ifdef outside platform": ("src/core/a.hpp", TAG + "#pragma once\n# ifdef X\nint a;\n", 3, "conditional"),
    "an if in a test": ("tests/support/a.hpp", TAG + "#pragma once\n#if X\n", 3, "conditional"),
    "a header without guard": ("src/core/a.hpp", TAG + "int a;\n", 1, "guard"),
    "a path of one machine": ("tools/a.py", HASH_TAG + 'ROOT = "/home/somebody"\n', 2, "workplace"),
    "a host of one machine": ("tools/a.py", HASH_TAG + 'HOST = "farm-12"\n', 2, "workplace"),
    "a document from elsewhere": ("src/core/a.hpp", TAG + "#pragma once\n// see shared/seeds\n", 3, "workplace"),
    "space at the end": ("README.md", "a \n", 1, "space"),
    "no newline at the end": ("README.md", "a\nb", 2, "space"),
}


@pytest.mark.parametrize("case", STYLE_CASES, ids=lambda c: c.replace(" ", "-"))
def test_a_breach_of_style_is_reported_with_its_line(tree, case):
    name, text, line, rule = STYLE_CASES[case]
    tree(name, text)
    found = findings("check_style.py", tree)
    assert len(found) == 1
    assert found[0].startswith(f"{name}:{line}: [{rule}] ")


@pytest.mark.parametrize("text", [
    "// strcpy(a, b) is banned\n",
    'const char* text = "system(1)";\n',
    "void f() { log.system(1); }\n",
    "int my_rand(int);\n",
    "int restrand(int);\n",
    "std::string mktemp = R\"(XXXXXX)\";\n",
    "int x = 1'000'000; int y = f('{');\n",
    "auto t = clock.monotonic();\n",
    "// #ifdef\n",
    "json::time(out, at);\n",
    "int x = atoi(a);  // style: allow call, the text was checked above\n",
])
def test_what_only_looks_like_a_breach_is_silent(tree, text):
    tree("src/core/a.hpp", TAG + "#pragma once\n" + text)
    assert findings("check_style.py", tree) == []


def test_an_excuse_for_one_rule_does_not_excuse_another(tree):
    tree("src/core/a.hpp", TAG + "#pragma once\nint x = rand();  // style: allow clock\n")
    assert len(findings("check_style.py", tree)) == 1


@pytest.mark.parametrize("name, limit", [("src/core/a.cpp", 600), ("src/core/a.hpp", 250)])
def test_a_file_may_have_the_limit_and_no_line_more(tree, name, limit):
    tree("CMakeLists.txt", built("src/core/a.cpp"))
    head = TAG + "#pragma once\n"
    tree(name, head + "\n" * (limit - 2))
    assert findings("check_style.py", tree) == []
    tree(name, head + "\n" * (limit - 1))
    assert findings("check_style.py", tree) == [f"{name}:{limit + 1}: [size] {limit + 1} lines; the limit is {limit}"]


FUNCTION_HEADS = [
    "void f() {",
    "namespace a { namespace { template <class T> auto f(T a) -> decltype(a) {",
    "class A final : public B { public: class C {\n int d_ = g({1}); void f() const noexcept override {",
    "struct A { A(int x) : a_{x}, b_(x) {",
    "struct A { A(int x) : a_{x} {",
    'extern "C" int f(void* self) noexcept {',
    "auto f = [](int a) {",
]


@pytest.mark.parametrize("head", FUNCTION_HEADS, ids=range(len(FUNCTION_HEADS)))
def test_a_function_may_have_the_limit_and_no_line_more(tree, head):
    tree("CMakeLists.txt", built("src/core/a.cpp"))
    ends = "\n}" + ";}" * 2
    tree("src/core/a.cpp", TAG + head + "\n  if (a) { b(); }" * 60 + ends + "\n")
    assert findings("check_style.py", tree) == []
    tree("src/core/a.cpp", TAG + head + "\n  if (a) { b(); }" * 61 + ends + "\n")
    at = 2 + head.count("\n")
    assert findings("check_style.py", tree) == [f"src/core/a.cpp:{at}: [size] a function of 61 lines; the limit is 60"]


def test_a_table_or_a_class_is_no_long_function(tree):
    tree("CMakeLists.txt", built("src/core/a.cpp"))
    tree("src/core/a.cpp", TAG + "constexpr std::array kRows{\n" + "  Row{f(1), 2},\n" * 90 + "};\n"
         "class A {\n" + "  void f();\n" * 90 + "};\n")
    assert findings("check_style.py", tree) == []


def test_a_source_that_no_target_names_is_reported(tree):
    tree("CMakeLists.txt", HASH_TAG + "tocsin_add_layer(core DIR src/core SOURCES a.cpp)  # b.cpp\n"
         "tocsin_add_layer(board DIR board/${BOARD} SOURCES profile.cpp)\n")
    tree("tests/CMakeLists.txt", HASH_TAG + "tocsin_add_test(x SOURCES unit/x_test.cpp)\n# unit/y_test.cpp\n")
    for name in ("src/core/a", "src/core/b", "board/host/profile", "tests/unit/x_test", "tests/unit/y_test"):
        tree(name + ".cpp", TAG)
    found = findings("check_style.py", tree)
    assert [line.split(": [built]")[0] for line in found] == ["src/core/b.cpp:1", "tests/unit/y_test.cpp:1"]


def test_a_source_that_a_glob_finds_is_built(tree):
    tree("tests/fuzz/CMakeLists.txt", HASH_TAG + 'file(GLOB sources CONFIGURE_DEPENDS RELATIVE "${X}" "*_fuzz.cpp")\n')
    for name in ("tests/fuzz/a_fuzz", "tests/fuzz/a_other", "tests/fuzz/deeper/b_fuzz", "tests/c_fuzz"):
        tree(name + ".cpp", TAG)
    found = findings("check_style.py", tree)
    assert [line.split(":")[0] for line in found] == ["tests/c_fuzz.cpp", "tests/fuzz/a_other.cpp",
                                                      "tests/fuzz/deeper/b_fuzz.cpp"]


def test_a_test_file_that_pytest_does_not_reach_is_reported(tree):
    test = HASH_TAG + "def test_a():\n    pass\n"
    tree("Makefile", HASH_TAG + "PYTEST_PATHS := tests/http tests/e2e\n")
    for name in ("http/test_a", "fault/test_b", "http/build/test_c", "http/kill_test"):
        tree(f"tests/{name}.py", test)
    tree("tests/e2e/test_d.py", HASH_TAG)
    assert [line.split("] ")[0] for line in findings("check_style.py", tree)] == [
        "tests/e2e/test_d.py:1: [collected", "tests/fault/test_b.py:1: [collected",
        "tests/http/build/test_c.py:1: [collected", "tests/http/kill_test.py:2: [collected"]


def test_a_pytest_run_that_leaves_tests_out_is_reported(tree):
    tree("Makefile", HASH_TAG + "PYTEST_PATHS := tests\ntest:\n\tpython3 -m pytest --ignore=tests/e2e tests\n")
    assert findings("check_style.py", tree)[0].startswith("Makefile:4: [collected]")


def test_the_style_check_does_not_look_into_folders_that_a_build_changes_meanwhile(tree, monkeypatch):
    for name in ("build/release/a.cpp", "src/core/build/a.cpp", "tests/__pycache__/a.py"):
        tree(name, "")
    spec = importlib.util.spec_from_file_location("check_style", TOOLS / "check_style.py")
    style = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(style)
    seen, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (seen.append(str(path)), scandir(path))[1])
    assert style.project_files(tree.root) == ["src/core/build/a.cpp"]
    assert not [path for path in seen if path.startswith(str(tree.root / "build")) or path.endswith("__pycache__")]
