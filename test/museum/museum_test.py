"""The museum tells a bug from none, and what it says of a caught one holds: the line that it prints of the shrunk
run breaks the same again (G7, G34). The program is the only argument."""

import os
import shlex
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import museum  # noqa: E402
from mutants import MUTANTS  # noqa: E402

PROGRAM = sys.argv.pop()


def mutant(name):
    return next(each for each in MUTANTS if each.name == name)


class Museum(unittest.TestCase):
    def test_the_program_as_it_is_breaks_nothing(self):
        shown = museum.show(PROGRAM, None, seed=1, seeds=8)
        self.assertEqual((shown.seeds, shown.broken), (8, set()), shown.output)

    def test_a_node_that_never_starts_again_is_told(self):
        shown = museum.show(PROGRAM, mutant("torn_end_accepted"), seed=1093788315, seeds=1)
        self.assertIn("I16", shown.broken, shown.output)

    def test_a_third_is_run_and_all_of_them_in_three_commits(self):
        thirds = [museum.third(MUTANTS, commit) for commit in ("00000000ff", "00000001ff", "00000002ff")]
        names = sorted(each.name for part in thirds for each in part)
        self.assertEqual(names, sorted(each.name for each in MUTANTS))
        self.assertLessEqual(max(map(len, thirds)) - min(map(len, thirds)), 1)

    def test_a_bug_is_caught_and_its_run_becomes_small_and_can_be_repeated(self):
        bug = mutant("write_quorum")
        shown = museum.show(PROGRAM, bug, seed=1, shrink=True)
        self.assertTrue(shown.broken & set(bug.breaks.split()), shown.output)
        self.assertIsNotNone(shown.share, shown.output)
        self.assertLessEqual(shown.share, museum.SHARE_MAX, shown.output)
        program, *arguments = shlex.split(shown.reproduce)
        self.assertEqual(program, "stator")
        with tempfile.TemporaryDirectory() as traces:
            again = subprocess.run([PROGRAM, *arguments, "--traces", traces], capture_output=True, text=True,
                                   timeout=600, env=dict(os.environ, STATOR_MUTANT=bug.name))
            self.assertEqual(again.returncode, 1, again.stdout)
            (trace,) = os.listdir(traces)
            with open(os.path.join(traces, trace), encoding="utf-8") as file:
                told = file.read()
        broken = [line.split(": ", 1)[1] for line in again.stdout.splitlines() if line.startswith("BROKEN ")]
        shrunk = [line.split(": ", 1)[1] for line in shown.output.splitlines() if line.startswith("SHRUNK ")]
        self.assertEqual(broken, shrunk)
        self.assertIn("\nnotes\n", told)
        self.assertIn("story of default/", told)
        for line in broken:
            self.assertIn(f"BROKEN {line}", told)


if __name__ == "__main__":
    unittest.main()
