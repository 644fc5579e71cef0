"""The rules of the house, one function each: rule(tree) yields (file, line, what is wrong).

A tree is a mapping from relative file names to their text, so that lint_test.py can hand each rule a
small bad tree. Exceptions are listed here by name, with a reason; the ratchets may only shrink.
"""

import fnmatch
import re

import cpp

# --- what may be where ---------------------------------------------------------------------------

# Which layers of src a layer may include and link, besides itself.
LAYERS = {
    "base": set(),
    "core": {"base"},
    "wire": {"base", "core"},
    "env": {"base"},
    "storage": {"base", "env"},
    "env_real": {"base", "env"},
    "env_sim": {"base", "env"},
    "node": {"base", "core", "wire", "env", "storage"},
    "front": {"base", "core", "wire", "env", "storage", "node"},
    "sim": {"base", "core", "wire", "env", "env_sim", "storage", "node", "front"},
    "cli": {"base", "core", "wire", "env", "env_real", "env_sim", "storage", "node", "front", "sim"},
}
# Tests beside the code may also use the simulated world, where their layer knows of a world.
TEST_EXTRA = {"storage": {"env_sim"}, "node": {"env_sim"}, "front": {"env_sim"},
              "env": {"env_sim", "env_real"}}

# Third-party headers: (prefix, folders of src that may include them). Only in .cc files.
THIRD_PARTY = [
    ("rocksdb/", ["src/storage/rocksdb/"]),
    ("db.h", ["src/storage/bdb/"]),
    ("db_cxx.h", ["src/storage/bdb/"]),
    ("jni.h", ["src/storage/bdbje/"]),
    ("mysql", ["src/storage/mysql/"]),
    ("mariadb", ["src/storage/mysql/"]),
    ("boost/beast", ["src/front/http/"]),
    ("boost/", ["src/front/http/"]),
    ("openssl/", ["src/env_real/", "src/base/"]),
    ("xxhash.h", ["src/base/"]),
    ("zstd.h", ["src/base/", "src/wire/", "src/storage/"]),
    ("spdlog/", ["src/env_real/", "src/cli/"]),
    ("CLI/", ["src/cli/"]),
    ("toml++/", ["src/cli/"]),
    ("nlohmann/", ["src/front/http/", "src/cli/", "src/sim/"]),
]

# Of files and sockets, where they begin; and of files, what is done with them by number or by name.
_OPENS = r"(?<![\w:])::(open|openat|creat|socket|connect|bind|listen|accept4?)\s*\("
_FILE_CALLS = (r"(?<![\w:>])::(p?readv?2?|pread64|p?writev?2?|pwrite64|readahead|posix_fadvise|posix_fallocate|fallocate|"
               r"fsync|fdatasync|syncfs|sync|sync_file_range|msync|f?truncate|lseek|f?stat|lstat|fstatat|statx|statv?fs|"
               r"fstatv?fs|rename|renameat2?|link|symlink|unlink|unlinkat|mkdir|mkdirat|rmdir|opendir|readdir|flock|close)"
               r"\s*\(")
_FILESYSTEM = r"\bstd\s*::\s*filesystem\b"

# Calls that reach around env: (pattern, what to use, banned in tests too). A test may draw from a
# generator that it seeded, measure, start threads and read files; it may not depend on chance, on the
# date or on sleeping long enough.
BANNED_CALLS = [
    (r"\bsystem_clock\s*::\s*now\b", "env's clock", True),
    (r"\b(steady_clock|high_resolution_clock)\s*::\s*now\b", "env's clock", False),
    (r"\b(gettimeofday|clock_gettime|time)\s*\(\s*(NULL|nullptr|0|CLOCK_|&)", "env's clock", True),
    (r"\bstd::s?rand\b|(?<![\w.:>])(::)?s?rand\s*\(", "env's random source", True),
    (r"\bstd::random_device\b|\bgetrandom\s*\(", "env's random source", True),
    (r"\bstd::mt19937|\bstd::default_random_engine\b", "env's random source", False),
    (r"\bsleep_for\b|\bsleep_until\b|(?<![\w.:>])(::)?(u|nano|clock_nano)?sleep\s*\(", "env's timers", True),
    (r"\bstd::j?thread\b|\bpthread_create\b|\bstd::async\b", "Executor::run_blocking", False),
    (r"\bdetached\b|\.\s*detach\s*\(\s*\)", "a scope that is closed", True),
    (_OPENS, "env", False),
    (r"\bstd::[io]?fstream\b|\bfopen\s*\(", "env::Disk", False),
    (_FILE_CALLS, "env::Disk", False),
    (_FILESYSTEM, "env::Disk", False),
]
# Where the world is made, and where a person's command talks to it.
BANNED_CALLS_FREE = ("src/env_real/", "src/cli/")
BANNED_CALLS_ALLOWED = {
    # (file pattern, pattern text): reason
    ("src/front/http/process_facts.cc", r"\bstd::[io]?fstream\b|\bfopen\s*\("):
        "the kernel's figures of this process: no disk, and injected, so that the simulator has none",
    ("src/front/http/process_facts.cc", _FILESYSTEM): "the same: how many files this process has open",
    # RocksDB's own files: env::Disk is for ours, and cannot read without waiting for the disk.
    ("src/storage/rocksdb/rocksdb_files.cc", _OPENS): "tables of RocksDB",
    ("src/storage/rocksdb/rocksdb_files.cc", _FILE_CALLS): "tables of RocksDB",
    ("src/storage/rocksdb/synced_logs.cc", _OPENS): "logs of RocksDB",
    ("src/storage/rocksdb/synced_logs.cc", _FILE_CALLS): "logs of RocksDB",
    ("src/storage/rocksdb/rocksdb_store.cc", _FILESYSTEM): "which files of RocksDB are there, before it is opened",
}

FILE_LINES_MAX = 800
FILE_LINES_EXCEPTIONS = {}  # file: lines it has now; may only shrink, and needs a sentence in ARCHITECTURE.md
FUNCTION_LINES_MAX = 70
FUNCTION_LINES_EXCEPTIONS = {}  # "file: function": lines it has now; may only shrink
BLOB_BYTES_MAX = 64 * 1024
BLOB_EXCEPTIONS = {
    "test/clients/package-lock.json": 256 * 1024,  # written by npm
}


def _cpp_files(tree, folders=("src/", "test/", "bench/")):
    return sorted(f for f in tree if f.endswith((".h", ".cc")) and f.startswith(folders))


def _is_test(file):
    return (not file.startswith("src/") or file.endswith("_test.cc") or "_test_" in file
            or file.endswith(("_prop.cc", "_fuzz.cc", "_bench.cc")) or "/testing/" in file)


def _layer(file):
    parts = file.split("/")
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def layering(tree):
    """Arrows point downwards only: base <- core <- env, wire, storage <- node <- front <- cli."""
    for file in _cpp_files(tree, ("src/",)):
        layer = _layer(file)
        if layer not in LAYERS:
            yield file, 1, f"folder src/{layer} is not a layer; add it to tools/lint/rules.py"
            continue
        allowed = LAYERS[layer] | {layer} | (TEST_EXTRA.get(layer, set()) if _is_test(file) else set())
        for line, name in cpp.includes(tree[file]):
            target = name.split("/")[0]
            if "/" in name and target in LAYERS and target not in allowed:
                yield file, line, f"{layer} may not include {name}"
            if name.startswith(("../", "./")) or name.startswith("src/"):
                yield file, line, f"name {name} from src/, as in \"base/bytes.h\""


def links(tree):
    """A library links only layers that it may include; core links nothing but base."""
    defined, uses = {}, []
    for file in sorted(f for f in tree if f.startswith("src/") and f.endswith("CMakeLists.txt")):
        text = re.sub(r"#[^\n]*", "", tree[file])
        for call in re.finditer(r"\b(stator_library|stator_test|stator_fuzz)\s*\(\s*(\S+)([^)]*)\)", text):
            words = call[3].split()
            wanted, keyword = [], None
            for word in words:
                if re.fullmatch("[A-Z_]+", word):
                    keyword = word
                elif keyword in ("LINKS", "PRIVATE_LINKS"):
                    wanted.append(word)
            layer = file.split("/")[1]
            if call[1] == "stator_library":
                defined["stator_" + call[2]] = layer
            uses.append((file, cpp.line_of(text, call.start()), call[1], layer, wanted))
    for file, line, kind, layer, wanted in uses:
        test = kind != "stator_library"
        allowed = LAYERS.get(layer, set()) | {layer} | (TEST_EXTRA.get(layer, set()) if test else set())
        for word in wanted:
            target = defined.get(word)
            if target and target not in allowed:
                yield file, line, f"{layer} may not link {word} of {target}"
            if layer == "core" and not test and not target and not word.startswith("stator_core_"):
                yield file, line, f"core links nothing but base, not {word}"


def third_party(tree):
    """Third-party headers stay in .cc files of their own folder; only fmt may stand in a header."""
    for file in _cpp_files(tree, ("src/",)):
        for line, name in cpp.includes(tree[file]):
            home = next((folders for prefix, folders in THIRD_PARTY if name.startswith(prefix)), None)
            if home is None:
                continue
            if file.endswith(".h"):
                yield file, line, f"{name} in a header"
            elif not file.startswith(tuple(home)):
                yield file, line, f"{name} belongs to {', '.join(home)}"


def banned_calls(tree):
    """Time, chance, threads, files and sockets come from env."""
    for file in _cpp_files(tree, ("src/",)):
        if file.startswith(BANNED_CALLS_FREE):
            continue
        text = cpp.blank(tree[file])
        for pattern, instead, in_tests in BANNED_CALLS:
            if _is_test(file) and not in_tests:
                continue
            if any(fnmatch.fnmatch(file, allowed) and what == pattern
                   for allowed, what in BANNED_CALLS_ALLOWED):
                continue
            for found in re.finditer(pattern, text):
                yield file, cpp.line_of(text, found.start()), f"{found[0].strip()}: use {instead}"


_CONTROL_HEAD = re.compile(r"^(?:else\s*)?(?:(?:if|for|while)\s*(?:constexpr\s*)?\(.*\))?\s*(?:else)?$", re.S)
_ASSIGNED = re.compile(r"^(?:else\s+)?[\w:<>,&*\s\[\]().>-]*[\w\])]\s*=$", re.S)


def co_await_alone(tree):
    """`co_await` is a statement of its own, or the whole right side of a named variable: GCC 12
    miscompiles it inside conditions and destroys temporaries of larger expressions twice."""
    for file in _cpp_files(tree):
        text = cpp.blank(tree[file])
        for found in re.finditer(r"\bco_await\b", text):
            start = _statement_start(text, found.start())
            before = re.sub(r"^\s*(?:case\b[^:]*|default)\s*:", "", text[start:found.start()]).strip()
            end = _statement_end(text, found.end())
            after = text[found.end():end]
            line = cpp.line_of(text, found.start())
            if not (before == "" or _balanced_head(before) or _ASSIGNED.match(before)
                    and "?" not in before and not re.match(r"(if|for|while|switch)\b", before)
                    or before == "co_return"):
                yield file, line, "co_await inside a larger expression: give its result a name"
            elif re.search(r"\?|&&|\|\||\bco_await\b", _top_level(after)):
                yield file, line, "co_await is not the whole expression: give its result a name"
            elif text[end:end + 1] != ";":
                yield file, line, "co_await inside parentheses: give its result a name"


def _balanced_head(before):
    return bool(_CONTROL_HEAD.match(before)) and before.count("(") == before.count(")")


def no_coroutines_below(tree):
    """No coroutine in base, core, wire and storage: they stay at the rim."""
    for file in _cpp_files(tree, ("src/base/", "src/core/", "src/wire/", "src/storage/")):
        text = cpp.blank(tree[file])
        for found in re.finditer(r"\bco_(await|return|yield)\b", text):
            yield file, cpp.line_of(text, found.start()), f"{found[0]} in {_layer(file)}"


def _statement_start(text, end):
    """Offset after the `;`, `{` or `}` before `end` that is not inside a bracket closed since."""
    depth = 0
    for index in range(end - 1, -1, -1):
        if text[index] in ")]":
            depth += 1
        elif text[index] in "([":
            depth -= 1
        elif text[index] in ";{}" and depth <= 0:
            return index + 1
    return 0


def _statement_end(text, start):
    """Offset of the `;` that ends the expression, or of the bracket that closes around it."""
    depth = 0
    for index in range(start, len(text)):
        if text[index] in "([{":
            depth += 1
        elif text[index] in ")]}":
            depth -= 1
            if depth < 0:
                return index
        elif text[index] == ";" and depth == 0:
            return index
    return len(text)


def _top_level(expression):
    """The expression without what stands in brackets; a second co_await is kept wherever it is."""
    kept, depth = [], 0
    for char in expression:
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif depth == 0:
            kept.append(char)
    return "".join(kept) + (" co_await" if "co_await" in expression else "")


def file_sizes(tree):
    """No source file over 800 lines; the exceptions may only shrink."""
    for file in _cpp_files(tree):
        lines = tree[file].count("\n")
        limit = FILE_LINES_EXCEPTIONS.get(file, FILE_LINES_MAX)
        if lines > limit:
            yield file, lines, f"{lines} lines, {limit} allowed: split it at a concept"
    for file in FILE_LINES_EXCEPTIONS:
        if file not in tree or tree[file].count("\n") <= FILE_LINES_MAX:
            yield file, 1, "no longer needs its exception in tools/lint/rules.py"


def function_sizes(tree):
    """No function over 70 lines outside tests; the exceptions may only shrink."""
    seen = {}
    for file in _cpp_files(tree):
        if _is_test(file):
            continue
        for name, first, lines in cpp.functions(tree[file]):
            key = f"{file}: {name}"
            seen[key] = max(lines, seen.get(key, 0))
            limit = FUNCTION_LINES_EXCEPTIONS.get(key, FUNCTION_LINES_MAX)
            if lines > limit:
                yield file, first, f"{name} has {lines} lines, {limit} allowed"
    for key in FUNCTION_LINES_EXCEPTIONS:
        if seen.get(key, 0) <= FUNCTION_LINES_MAX:
            yield key.split(":")[0], 1, f"{key} no longer needs its exception"


def blobs(tree):
    """No file over 64 KiB that is not listed."""
    for file in sorted(tree):
        size = len(tree[file].encode("utf-8", "surrogateescape"))
        limit = BLOB_EXCEPTIONS.get(file, BLOB_BYTES_MAX)
        if size > limit:
            yield file, 1, f"{size} bytes, {limit} allowed"


def pragma_once(tree):
    """Each header begins with #pragma once."""
    for file in _cpp_files(tree):
        if file.endswith(".h") and not re.match(r"\s*#pragma once\b", tree[file]):
            yield file, 1, "the first line is not #pragma once"


def own_header_first(tree):
    """a.cc includes a.h before anything else, where it exists: a header stands alone."""
    for file in _cpp_files(tree, ("src/",)):
        own = re.sub(r"\.cc$", ".h", file)
        if not file.endswith(".cc") or own not in tree:
            continue
        first = next(cpp.includes(tree[file]), None)
        if first and first[1] != own[len("src/"):]:
            yield file, first[0], f"include {own[len('src/'):]} first"


def sources_listed(tree):
    """Each .cc file is named by the CMakeLists.txt of its folder or of one above; no globbing of sources."""
    for file in _cpp_files(tree):
        if not file.endswith(".cc") or file == "test/fuzz/replay_main.cc":
            continue
        parts, listed = file.split("/"), False
        for depth in range(len(parts) - 1, 0, -1):
            name = "/".join(parts[:depth]) + "/CMakeLists.txt"
            relative = "/".join(parts[depth:])
            listed = listed or bool(re.search(rf"(?<![\w./-]){re.escape(relative)}(?![\w.-])",
                                              tree.get(name, "")))
        if not listed:
            yield file, 1, "no CMakeLists.txt names it"
    for file in sorted(f for f in tree if f.endswith(("CMakeLists.txt", ".cmake"))):
        for found in re.finditer(r"file\s*\(\s*GLOB\w*[^)]*\.(cc|h)\b", tree[file]):
            yield file, cpp.line_of(tree[file], found.start()), "list sources by name"


def test_folders_built(tree):
    """Each folder of test/ and bench/ with code has a CMakeLists.txt, so that nothing is forgotten."""
    for file in sorted(tree):
        parts = file.split("/")
        if parts[0] in ("test", "bench") and len(parts) > 2 and file.endswith((".cc", "_test.py")):
            if f"{parts[0]}/{parts[1]}/CMakeLists.txt" not in tree:
                yield file, 1, f"{parts[0]}/{parts[1]} has no CMakeLists.txt"


def script_tests_listed(tree):
    """Each *_test.py and *_test.sh of test/ and bench/ is named in a CMakeLists.txt above it."""
    for file in sorted(tree):
        if not file.startswith(("test/", "bench/")) or not file.endswith(("_test.py", "_test.sh")):
            continue
        parts = file.split("/")
        above = ("/".join(parts[:depth]) + "/CMakeLists.txt" for depth in range(len(parts) - 1, 0, -1))
        if not any(parts[-1] in tree.get(name, "") for name in above):
            yield file, 1, "no CMakeLists.txt names it"


def no_skipped_tests(tree):
    """A test that cannot run has failed: nothing is skipped or disabled."""
    pattern = re.compile(r"\bGTEST_SKIP\b|\bDISABLED_\w+|@(?:unittest\.)?skip\w*|\.skipTest\(|\bSkipTest\b")
    for file in sorted(f for f in tree if f.endswith((".cc", ".h", ".py", ".js", ".mjs"))):
        if file.startswith("tools/"):
            continue
        for found in pattern.finditer(tree[file]):
            yield file, cpp.line_of(tree[file], found.start()), f"{found[0]}: a test runs or it fails"


_PATH_IN_TEXT = re.compile(r"`((?:src|test|bench|docs|tools|cmake|web)/[\w./*{},+-]+)`")
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def documents(tree):
    """Pages name only files that exist. Dated decisions (docs/design) may speak of the past."""
    folders = {"/".join(f.split("/")[:depth]) for f in tree for depth in range(1, f.count("/") + 1)}
    for file in sorted(f for f in tree if f.endswith(".md")):
        if file.startswith("docs/design/"):
            continue
        here = "/".join(file.split("/")[:-1])
        names = [(m.start(), m[1]) for m in _PATH_IN_TEXT.finditer(tree[file])]
        names += [(m.start(), _join(here, m[1])) for m in _LINK.finditer(tree[file])
                  if "://" not in m[1] and not m[1].startswith("mailto:")]
        for offset, name in names:
            for single in _expand(name.rstrip("/.")):
                if single not in tree and single not in folders and not fnmatch.filter(tree, single):
                    yield file, cpp.line_of(tree[file], offset), f"{single} does not exist"


def _join(here, name):
    parts = [] if name.startswith("/") else [p for p in here.split("/") if p]
    for part in name.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _expand(name):
    """a.{h,cc} -> a.h, a.cc"""
    braces = re.search(r"\{([^{}]*)\}", name)
    if not braces:
        return [name]
    return [one for choice in braces[1].split(",")
            for one in _expand(name[:braces.start()] + choice + name[braces.end():])]


_MACHINE = re.compile(
    r"(?<![\w./-])/(?:home|root|Users|work|mnt|workspace)/[\w.-]+"
    r"|\b(?:deb|security|snapshot|ftp)\.debian\.org\b|\bregistry\.(?:npmjs\.org|yarnpkg\.com)\b"
    r"|\b(?:pypi|files\.pythonhosted)\.org\b|\bproxy\.golang\.org\b|\bcrates\.io\b")


def no_machine_names(tree):
    """Nothing names a path of somebody's machine or the host of a package registry."""
    for file in sorted(tree):
        for found in _MACHINE.finditer(tree[file]):
            yield file, cpp.line_of(tree[file], found.start()), f"names {found[0]}"


def page_lengths(tree):
    """ARCHITECTURE.md stays a page that one reads: 300 lines."""
    lines = tree.get("ARCHITECTURE.md", "").count("\n")
    if lines > 300:
        yield "ARCHITECTURE.md", lines, f"{lines} lines, 300 allowed"


RULES = [layering, links, third_party, banned_calls, co_await_alone, no_coroutines_below,
         file_sizes, function_sizes, blobs, pragma_once, own_header_first, sources_listed,
         test_folders_built, script_tests_listed, no_skipped_tests, documents, no_machine_names,
         page_lengths]
