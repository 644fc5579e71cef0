"""Every rule must find what it forbids, in a tree that is wrong in just that way, and must accept the
same tree put right. A rule without a case here fails the run."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import cpp  # noqa: E402
import rules  # noqa: E402

LONG_FUNCTION = "int f(int x) {\n" + "  x += 1;\n" * 70 + "  return x;\n}\n"

# rule: [(bad tree, good tree), ...]
CASES = {
    rules.layering: [
        ({"src/core/a.cc": '#include "env/env.h"\n'}, {"src/core/a.cc": '#include "base/bytes.h"\n'}),
        ({"src/node/a.h": '#include "front/b.h"\n'}, {"src/front/a.h": '#include "node/b.h"\n'}),
        ({"src/node/a.h": '#include "env_sim/b.h"\n'}, {"src/node/a_test.cc": '#include "env_sim/b.h"\n'}),
        ({"src/core/x/a.h": '#include "../b.h"\n'}, {"src/core/x/a.h": '#include "core/b.h"\n'}),
        ({"src/misc/a.h": ""}, {"src/base/a.h": ""}),
    ],
    rules.links: [
        ({"src/core/CMakeLists.txt": "stator_library(ring SOURCES a.cc LINKS stator_net)",
          "src/env/CMakeLists.txt": "stator_library(net SOURCES a.cc)"},
         {"src/core/CMakeLists.txt": "stator_library(ring SOURCES a.cc LINKS stator_base)",
          "src/base/CMakeLists.txt": "stator_library(base SOURCES a.cc)"}),
        ({"src/core/CMakeLists.txt": "stator_library(ring SOURCES a.cc PRIVATE_LINKS xxhash)"},
         {"src/core/CMakeLists.txt": "stator_test(ring_test SOURCES a_test.cc LINKS rapidcheck)"}),
    ],
    rules.third_party: [
        ({"src/storage/rocksdb/a.h": "#include <rocksdb/db.h>\n"},
         {"src/storage/rocksdb/a.cc": "#include <rocksdb/db.h>\n"}),
        ({"src/node/a.cc": "#include <boost/asio.hpp>\n"}, {"src/front/http/a.cc": "#include <boost/asio.hpp>\n"}),
        ({"src/node/a.h": "#include <nlohmann/json.hpp>\n"}, {"src/node/a.h": "#include <fmt/format.h>\n"}),
    ],
    rules.banned_calls: [
        ({"src/node/a.cc": f"void f() {{ {call}; }}\n"}, {"src/env_real/a.cc": f"void f() {{ {call}; }}\n"})
        for call in ("auto t = std::chrono::steady_clock::now()", "std::this_thread::sleep_for(x)",
                     "std::random_device d", "int x = rand()", "std::thread t(g)", "int fd = ::open(p, 0)",
                     "int fd = ::socket(1, 2, 3)", "co_spawn(e, g(), asio::detached)", "std::ifstream in(p)",
                     "auto t = std::time(nullptr)", "auto n = ::read(fd, p, 1)", "auto n = ::preadv2(fd, v, 1, 0, 0)",
                     "if (::write(fd, p, 1) < 0) g()", "auto n = ::pwrite(fd, p, 1, 0)", "::fsync(fd)", "::fdatasync(fd)",
                     "::stat(p, &s)", "::fstat(fd, &s)", "::statvfs(p, &s)", "::rename(p, q)", "::unlink(p)",
                     "::mkdir(p, 0700)", "::ftruncate(fd, 0)", "return ::close(fd)", "std::filesystem::exists(p)",
                     "namespace fs = std::filesystem")
    ] + [({"src/storage/rocksdb/rocksdb_engine.cc": call}, {file: call})
         for file, call in (("src/storage/rocksdb/synced_logs.cc", "::fsync(fd);"),
                            ("src/storage/rocksdb/rocksdb_files.cc", "::pread(fd, p, 1, 0);"),
                            ("src/storage/rocksdb/rocksdb_store.cc", "std::filesystem::exists(p);"),
                            ("src/front/http/process_facts.cc", "std::filesystem::exists(p);"))
    ] + [({"src/node/a.cc": "::close(fd);"},
          {"src/node/a.cc": "journal.read(p); Table<int>::write(q); File::close(); disk->rename(p, q);\n"}),
         ({"src/node/a_test.cc": "::sleep(1);"}, {"src/node/a_test.cc": "::unlink(p);"}),
         ({"src/node/a_test.cc": "::usleep(1);"}, {"src/node/a_test.cc": "Timer::sleep(1);"}),
         ({"src/node/a_test.cc": "int x = ::rand();"}, {"src/node/a_test.cc": "int x = env.random();"}),
         ({"src/core/a.h": "auto t = system_clock::now();"}, {"src/core/a.h": "// system_clock::now() is banned\n"}),
         ({"src/core/a_test.cc": "std::random_device d;"}, {"src/core/a_test.cc": "std::mt19937_64 r(1);"}),
         ({"src/core/a.cc": "std::mt19937_64 r(1);"}, {"src/core/a.cc": "Random r(1);"})],
    rules.co_await_alone: [
        ({"src/node/a.cc": f"void f() {{ {bad} }}\n"}, {"src/node/a.cc": f"void f() {{ {good} }}\n"})
        for bad, good in [
            ("if (co_await g()) h();", "const bool ok = co_await g(); if (ok) h();"),
            ("while (!co_await g()) h();", "co_await g();"),
            ("h(co_await g());", "auto x = co_await g(); h(x);"),
            ("auto x = a ? co_await g() : 0;", "if (a) co_await g();"),
            ("auto x = co_await g() && b;", "auto x = co_await g(a && b);"),
            ("auto x = a && co_await g();", "std::vector<int> x = co_await g({1, 2});"),
            ("auto x = T{co_await g()};", "x.y_ = co_await g();"),
            ("const auto& x = co_await g(co_await h());", "co_return co_await g();"),
            ("switch (co_await g()) {}", "for (int i = 0; i < 3; ++i) co_await g();"),
            ("auto x = 1 + co_await g();", "switch (a) { case 1: co_await g(); break; }"),
        ]
    ],
    rules.no_coroutines_below: [
        ({"src/core/a.cc": "task f() { co_return; }"}, {"src/front/a.cc": "task f() { co_return; }"}),
    ],
    rules.file_sizes: [({"src/base/a.cc": "\n" * 801}, {"src/base/a.cc": "\n" * 800})],
    rules.function_sizes: [
        ({"src/base/a.cc": "namespace stator {\n" + LONG_FUNCTION + "}\n"},
         {"src/base/a_test.cc": LONG_FUNCTION}),
        ({"src/base/a.h": "class A : public B<void(int)> {\n public:\n" + LONG_FUNCTION + "};\n"},
         {"src/base/a.h": "constexpr int kTable[] = {\n" + "  f(1),\n" * 90 + "};\n"}),
        ({"src/base/a.cc": "A::A(int x) : a_{x}, b_(x) " + LONG_FUNCTION[len("int f(int x) "):]},
         {"src/base/a.cc": "namespace {\n" + "int f() { return 1; }\n" * 90 + "}\n"}),
        ({"src/base/a.cc": "bool operator==(A a, A b) " + LONG_FUNCTION[len("int f(int x) "):]},
         {"src/base/a.cc": "enum class E {\n" + "  kA,\n" * 90 + "};\n"}),
    ],
    rules.blobs: [({"docs/a.txt": "x" * 65537}, {"docs/a.txt": "x" * 65536})],
    rules.pragma_once: [({"src/base/a.h": "int x;\n"}, {"src/base/a.h": "#pragma once\n"})],
    rules.own_header_first: [
        ({"src/base/a.h": "", "src/base/a.cc": '#include <string>\n#include "base/a.h"\n'},
         {"src/base/a.h": "", "src/base/a.cc": '#include "base/a.h"\n#include <string>\n'}),
    ],
    rules.sources_listed: [
        ({"src/base/a.cc": "", "src/base/CMakeLists.txt": "stator_library(base SOURCES aa.cc)"},
         {"src/base/a.cc": "", "src/base/CMakeLists.txt": "stator_library(base SOURCES a.cc)"}),
        ({"src/core/x/a.cc": "", "src/core/CMakeLists.txt": "SOURCES a.cc"},
         {"src/core/x/a.cc": "", "src/core/CMakeLists.txt": "SOURCES x/a.cc"}),
        ({"src/core/CMakeLists.txt": "file(GLOB all *.cc)"}, {"test/CMakeLists.txt": "file(GLOB folders *)"}),
    ],
    rules.test_folders_built: [
        ({"test/sim/a_test.cc": ""}, {"test/sim/a_test.cc": "", "test/sim/CMakeLists.txt": ""}),
    ],
    rules.script_tests_listed: [
        ({"test/p/a_test.py": "", "test/p/CMakeLists.txt": ""},
         {"test/p/a_test.py": "", "test/p/CMakeLists.txt": "COMMAND a_test.py"}),
    ],
    rules.no_skipped_tests: [
        ({"src/a_test.cc": "TEST(A, DISABLED_works) {}"}, {"src/a_test.cc": "TEST(A, works) {}"}),
        ({"src/a_test.cc": "if (x) GTEST_SKIP();"}, {"src/a_test.cc": "ASSERT_TRUE(x);"}),
        ({"test/a_test.py": "self.skipTest('no')"}, {"test/a_test.py": "self.fail('no')"}),
    ],
    rules.documents: [
        ({"docs/paper/a.md": "see `src/core/x.h`"}, {"docs/paper/a.md": "see `src/core/x.h`", "src/core/x.h": ""}),
        ({"docs/paper/a.md": "`src/core/x.{h,cc}`", "src/core/x.h": ""},
         {"docs/paper/a.md": "`src/core/x.{h,cc}`", "src/core/x.h": "", "src/core/x.cc": ""}),
        ({"docs/paper/a.md": "[x](../b.md)"}, {"docs/paper/a.md": "[x](../b.md) [y](https://e.org/z)", "docs/b.md": ""}),
    ],
    rules.no_machine_names: [
        ({"README.md": "cd /ho" + "me/me/stator"}, {"README.md": "cd stator"}),
        ({"package-lock.json": "https://registry.npm" + "js.org/a"}, {"package-lock.json": "a"}),
    ],
    rules.page_lengths: [({"ARCHITECTURE.md": "\n" * 301}, {"ARCHITECTURE.md": "\n" * 300})],
}


class Rules(unittest.TestCase):
    def test_every_rule_has_a_case(self):
        self.assertEqual(set(rules.RULES), set(CASES))

    def test_cpp_reading(self):
        self.assertEqual(cpp.blank('a = "x // y"; // z\nb'), 'a = "";  \nb')
        self.assertEqual(cpp.blank("1'000'000 + '\"' /* \n */"), "1'000'000 + '' \n")
        self.assertEqual(cpp.blank('R"(a\n"b)" c'), '"\n" c')
        names = [name for name, _, _ in cpp.functions(
            "namespace a {\nstruct B {\n  B(int x = {}) : x_{x} { f(); }\n  int f() const { if (x) { y(); } }\n};\n"
            "}  // namespace a\nTEST(A, b) { }\nstatic int g(int (&x)[2]) { return [] { return 1; }(); }\n")]
        self.assertEqual(names, ["B", "f", "A.b", "g"])


def case(rule, number, bad, good):
    def run(self):
        self.assertTrue(list(rule(bad)), f"{rule.__name__} accepts {bad}")
        self.assertEqual(list(rule(good)), [], f"{rule.__name__} refuses {good}")
    setattr(Rules, f"test_{rule.__name__}_{number}", run)


for one_rule, pairs in CASES.items():
    for at, (bad_tree, good_tree) in enumerate(pairs):
        case(one_rule, at, bad_tree, good_tree)

if __name__ == "__main__":
    unittest.main()
