#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom. Usage: tools/check_layers.py [ROOT]; prints file:line: finding, exits 1 when there is one.

This table is the architecture (src/ARCHITECTURE.md explains it): a folder of src/ includes only folders of lower rank,
and folders of equal rank do not know each other; a folder of platform/ sees the ports, platform/linux and itself; only the
programs see both.
"""
import pathlib
import re
import sys

RANKS = [
    ["base"],
    ["port", "json", "regex", "formats"],
    ["model", "config", "channel", "jmespath"],
    ["ingest", "alert", "audit", "log", "registry", "notice", "normalise"],
    ["core"],
    ["api", "page", "deliver", "esb"],
]
RANK = {f"src/{name}": rank for rank, names in enumerate(RANKS) for name in names}
PROGRAMS = "src/programs"
PLATFORM_SEES = {"src/base", "src/port", "platform/linux"}  # the loop and descriptors are common ground
BOARD_SEES = {"src/base", "src/config", "board/base"}

# The one folder in which an outside library's headers may appear. A new library needs its row.
VENDOR_HOME = {
    "tl/expected.hpp": "src/base", "cjson/": "src/json", "simdjson.h": "src/json", "re2/": "src/regex",
    "yaml.h": "src/formats", "expat.h": "src/formats", "toml++/": "src/config",
    "lmdb.h": "platform/lmdb", "microhttpd.h": "platform/microhttpd", "gnutls/": "platform/gnutls", "zlib.h": "platform/zlib",
    "mosquitto.h": "platform/mosquitto", "mqtt_protocol.h": "platform/mosquitto",
    "librdkafka/": "platform/rdkafka", "curl/": "platform/curl",
}
CXX = set("""
    algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits clocale
    cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib
    cstring ctime cuchar cwchar cwctype deque exception execution filesystem format forward_list fstream functional future
    initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource mutex new
    numbers numeric optional ostream queue random ranges ratio regex scoped_allocator semaphore set shared_mutex
    source_location span sstream stack stdexcept stop_token streambuf string string_view strstream syncstream system_error
    thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
    """.split())
# What the product's own code does without: threads, files, signals and the locale belong to platform/.
CXX_NOT_IN_SRC = set("""
    clocale codecvt csetjmp csignal execution filesystem fstream future iostream locale regex stop_token strstream syncstream
    thread
    """.split())
SYSTEM = set("""
    aio.h arpa/inet.h cpio.h dirent.h dlfcn.h endian.h err.h errno.h execinfo.h fcntl.h fenv.h fnmatch.h ftw.h getopt.h glob.h
    grp.h ifaddrs.h langinfo.h libgen.h limits.h link.h malloc.h mqueue.h netdb.h nl_types.h paths.h poll.h pthread.h pwd.h
    sched.h search.h semaphore.h signal.h spawn.h stdarg.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h strings.h
    stropts.h sysexits.h syslog.h tar.h termios.h time.h ucontext.h unistd.h utime.h utmpx.h wchar.h wctype.h wordexp.h
    """.split())
SYSTEM_FOLDERS = ("sys/", "linux/", "net/", "netinet/", "asm/")

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>|(\S+))')
LAYER = re.compile(r"tocsin_add_layer\s*\(([^)]*)\)")


def folder_of(path: str) -> str:
    """'src/model/a/b.hpp' -> 'src/model': the unit the rules speak of."""
    return "/".join(path.split("/")[:2])


def project_finding(home: str, target: str) -> str:
    other = folder_of(target)
    if other == home:
        return ""
    if other == PROGRAMS:
        return "programs are composition roots: nothing includes them"
    if home == PROGRAMS:
        return ""
    if home in RANK:
        if other not in RANK:
            return f"src/ does not know {other}: only {PROGRAMS} does"
        if RANK[other] < RANK[home]:
            return ""
        if RANK[other] == RANK[home]:
            return f"{home} and {other} have the same rank and do not know each other"
        return f"{home} (rank {RANK[home]}) may not include {other} (rank {RANK[other]})"
    sees = PLATFORM_SEES if home.startswith("platform/") else BOARD_SEES
    return "" if other in sees else f"{home} may include only itself, {' and '.join(sorted(sees))}, not {other}"


def outside_finding(home: str, header: str) -> str:
    for name, vendor in VENDOR_HOME.items():
        if header == name or (name.endswith("/") and header.startswith(name)):
            return "" if home == vendor else f"<{header}> has its home in {vendor}"
    portable = home in RANK or home.startswith("board/")
    if header in CXX:
        if portable and header in CXX_NOT_IN_SRC:
            return f"<{header}>: threads, files, signals and locale belong to platform/"
        return ""
    if portable:
        return f"<{header}> is not a standard C++ header: the system and vendors belong to platform/"
    if header in SYSTEM or header.startswith(SYSTEM_FOLDERS):
        return ""
    return f"<{header}> is unknown: a new library needs its row in tools/check_layers.py"


def declared_layers(root: pathlib.Path) -> dict[str, set[str]]:
    """Folder -> folders it may reach by the DEPENDS lists of the root CMakeLists.txt (transitively)."""
    listing = root / "CMakeLists.txt"
    text = re.sub(r"#[^\n]*", "", listing.read_text()) if listing.exists() else ""
    home, direct = {}, {}
    for call in LAYER.finditer(text):
        words = call.group(1).split()
        if "DIR" not in words:
            continue
        name, section = words[0], ""
        home[name] = words[words.index("DIR") + 1]
        direct[name] = set()
        for word in words[1:]:
            if word in ("DIR", "SOURCES", "DEPENDS", "LIBS"):
                section = word
            elif section == "DEPENDS":
                direct[name].add(word)

    def reach(name: str, seen: set[str]) -> set[str]:
        for other in direct.get(name, ()):
            if other not in seen:
                seen.add(other)
                reach(other, seen)
        return seen

    folders: dict[str, set[str]] = {}
    for name in home:  # a folder may be split into several layers
        folders.setdefault(home[name], set()).update(home[other] for other in reach(name, set()) if other in home)
    folders.pop(PROGRAMS, None)  # which see everything
    return folders


def check_file(name: str, text: str, layers: dict[str, set[str]]):
    home = folder_of(name)
    if home.startswith("src/") and home != PROGRAMS and home not in RANK:
        yield 1, f"{home} has no rank: add it to tools/check_layers.py and src/ARCHITECTURE.md"
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quoted, angled, computed = match.groups()
        if computed:
            yield number, f"computed include {computed}: nobody can see what it is"
        elif angled:
            wrong = outside_finding(home, angled)
            if wrong:
                yield number, wrong
        elif not quoted.startswith(("src/", "platform/", "board/")) or "/../" in quoted:
            yield number, f'"{quoted}": write the path from the project\'s root'
        else:
            wrong = project_finding(home, quoted)
            other = folder_of(quoted)
            if wrong:
                yield number, wrong
            elif home in layers and other in layers and other != home and other not in layers[home]:
                yield number, f"{other} is not in the DEPENDS of {home} (CMakeLists.txt)"


def check(root: pathlib.Path) -> list[str]:
    layers = declared_layers(root)
    findings = []
    for top in ("src", "platform", "board"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".cpp", ".hpp", ".h", ".c", ".ipp", ".inc") and path.is_file():
                name = path.relative_to(root).as_posix()
                text = path.read_text(errors="replace")
                findings += [f"{name}:{line}: {what}" for line, what in check_file(name, text, layers)]
    return findings


def main() -> int:
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    findings = check(root)
    print("\n".join(findings) if findings else "layers: clean")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
