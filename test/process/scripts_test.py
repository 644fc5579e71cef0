"""The scripts that the README begins with: what `./dev` builds and starts, and what `tools/install` says where
something is missing. The cluster that `./dev` starts: dev_test.py."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from dev import Dev, alive, shell
from nodes import PATIENCE_S, die_with_parent

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "build/release/stator"
BUILD_S = 1500.0  # where nothing is built yet: the test is run from another build's folder


def script(name: str, *arguments: str, path: str | None = None, timeout_s: float = PATIENCE_S):
    """A script of the repository, called from elsewhere, to its end."""
    environment = {**os.environ, "PATH": path or os.environ["PATH"]}
    return subprocess.run([ROOT / name, *arguments], cwd="/", env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=timeout_s, preexec_fn=die_with_parent)


def configuration() -> list[str]:
    """What was asked of the build in build/release."""
    cache = ROOT / "build/release/CMakeCache.txt"
    asked = re.compile(r"(STATOR_\w+|CMAKE_BUILD_TYPE|CMAKE_CXX_FLAGS):")
    return [line for line in cache.read_text().splitlines() if asked.match(line)] if cache.exists() else []


class DevScript(unittest.TestCase):
    def test_a_second_start_compiles_nothing_and_runs_the_cluster(self):
        before = configuration()
        built = script("dev", "--build-only", timeout_s=BUILD_S)
        self.assertEqual(built.returncode, 0, built.stdout + built.stderr)
        self.assertIn("tools/install: everything for 'build' is installed\n", built.stdout)
        self.assertTrue(built.stdout.endswith("\n./dev: built build/release/stator\n"), built.stdout)
        # What ./check has configured stays: it would compile anew.
        self.assertTrue(configuration())
        self.assertEqual(configuration(), before or configuration())
        age = BUILT.stat().st_mtime_ns
        with Dev(command=(str(ROOT / "dev"),)) as dev:
            said = dev.output()
            self.assertIn("tools/install: everything for 'dev' is installed\n", said)
            self.assertIn("ninja: no work to do.\n", said)
            self.assertNotIn("the first time takes minutes", said)
            rows = dev.rows()
            self.assertEqual([row[2] for row in rows], [f"127.0.0.1:{dev.port(k)}" for k in (1, 2, 3)])
            write, read, ask = re.findall(r"^  ((?:redis-cli|curl) .+)$", said, re.M)
            self.assertEqual((shell(write), shell(read)), ("OK\n", "bread\n"))
            self.assertTrue(shell(ask).endswith("\n\nbread"))
            self.assertEqual(dev.interrupt(), 0)
            self.assertFalse([row[0] for row in rows if alive(int(row[1]))])
            self.assertFalse(Path(rows[0][5]).parent.exists())
        self.assertEqual(BUILT.stat().st_mtime_ns, age)
        self.assertEqual(configuration(), before or configuration())


class Install(unittest.TestCase):
    """On a machine that is made up: whose packages and whose user are what the test says."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="stator-test-")
        self.addCleanup(folder.cleanup)
        self.programs = Path(folder.name) / "bin"
        self.programs.mkdir()
        self.called = Path(folder.name) / "called"
        self.path = f"{self.programs}:{os.environ['PATH']}"
        for name in ("apt-get", "cmake", "npm"):
            self.program(name, f'echo "{name} $*" >>"{self.called}"\nexit 100')
        self.program("id", "echo 1000")  # nobody's root

    def program(self, name: str, text: str) -> None:
        file = self.programs / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    def lacks(self, *missing: str, removed: str = "none") -> None:
        """dpkg-query knows nothing of `missing`, has only files of `removed` left, and all else is there."""
        self.program("dpkg-query", "shift 3\nstatus=0\nfor name; do\n  case \"$name\" in\n"
                     f"    {'|'.join(missing) or 'none'}) echo \"no packages found matching $name\" >&2; status=1 ;;\n"
                     f"    {removed}) echo \"config-files $name\" ;;\n"
                     "    *) echo \"installed $name\" ;;\n  esac\ndone\nexit $status")

    def run_script(self, name: str, *arguments: str):
        return script(name, *arguments, path=self.path)

    def nothing_was_called(self) -> None:
        self.assertFalse(self.called.exists(), self.called.exists() and self.called.read_text())

    def test_without_root_it_names_what_is_missing_and_the_command_to_type(self):
        self.lacks("ccache", removed="librocksdb-dev")
        for words in (("tools/install", "build"), ("tools/install", "dev"), ("dev", "--build-only"), ("dev",)):
            with self.subTest(" ".join(words)):
                ended = self.run_script(*words)
                self.assertEqual((ended.returncode, ended.stdout), (1, ""), ended.stderr)
                self.assertEqual(ended.stderr.splitlines(), [
                    "tools/install: these packages are missing: ccache librocksdb-dev",
                    "  run as root:  apt-get update && apt-get install --no-install-recommends ccache librocksdb-dev",
                    "  then start this again; it needs no root when nothing is missing"])
        self.nothing_was_called()

    def test_where_nothing_is_missing_no_package_manager_and_no_root_is_asked(self):
        self.lacks()
        for group in ("build", "dev"):
            ended = self.run_script("tools/install", group)
            self.assertEqual((ended.returncode, ended.stdout, ended.stderr),
                             (0, f"tools/install: everything for '{group}' is installed\n", ""))
        self.nothing_was_called()

    def test_a_group_wants_its_own_packages_and_no_others(self):
        for missing, complete in (("redis-tools", {"build"}), ("clang-19", {"build", "dev"}), ("g++", set())):
            self.lacks(missing)
            for group in ("build", "dev", "check"):
                asked = self.run_script("tools/install", "--ask", group)
                self.assertEqual((asked.returncode, asked.stdout, asked.stderr),
                                 (0 if group in complete else 1, "", ""), (missing, group))
        self.nothing_was_called()

    def test_another_system_than_debian_is_told_what_to_install(self):
        for name in ("bash", "dirname"):
            (self.programs / name).symlink_to(shutil.which(name))
        ended = script("tools/install", "build", path=str(self.programs))
        self.assertEqual((ended.returncode, ended.stdout), (1, ""), ended.stderr)
        self.assertIn("tools/install: this is not a Debian system; install these by hand: g++ cmake ", ended.stderr)

    def test_a_wrong_word_is_a_usage_error(self):
        for words in ((), ("all",), ("--ask",), ("--ask", "all")):
            ended = self.run_script("tools/install", *words)
            self.assertEqual((ended.returncode, ended.stdout), (2, ""), words)
            self.assertEqual(ended.stderr, "usage: tools/install [--ask] build|dev|check\n")


if __name__ == "__main__":
    unittest.main()
