"""The museum tells a bug from none, and what it says of a caught one holds: the line that it prints of the shrunk
run breaks the same again (G7, G34). The program is the only argument."""

import contextlib
import io
import os
import shlex
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

sys.dont_write_bytecode = True
import museum  # noqa: E402
from mutants import CANARY, MUTANTS  # noqa: E402

PROGRAM = sys.argv.pop()


def mutant(name):
    return next(each for each in MUTANTS if each.name == name)


class Museum(unittest.TestCase):
    def test_the_program_as_it_is_breaks_nothing(self):
        shown = museum.show(PROGRAM, None, seed=1, seeds=8)
        self.assertEqual((shown.seeds, shown.broken), (8, set()), shown.output)

    def test_a_node_that_never_starts_again_is_told(self):
        seed = 1093788315
        for _ in range(10):  # whatever a change of the product makes of one seed
            shown = museum.show(PROGRAM, mutant("torn_end_accepted"), seed=seed)
            if "I16" in shown.broken:
                return
            seed += max(1, shown.seeds)
        self.fail(shown.output)

    def test_the_tests_that_mutants_name_are_there_and_pass_without_one(self):
        for tests in sorted({each.tests for each in MUTANTS if each.tests}):
            run = [museum.tests_of(PROGRAM), f"--gtest_filter={tests}"]
            done = subprocess.run(run, capture_output=True, text=True, timeout=600,
                                  env=dict(os.environ, STATOR_MUTANT=""))
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertRegex(done.stdout, r"\[  PASSED  \] [1-9]", tests)

    def test_a_mutant_that_only_a_test_sees_is_caught_by_it(self):
        bug = mutant("unreadable_is_missing")
        shown = museum.show_to_tests(PROGRAM, bug)
        self.assertIn("DiskTrouble.AnUnreadableRecordIsNotMissingAndNoCopyTakesItsPlace",
                      museum.caught_by(bug, shown), shown.output)

    def test_the_page_lists_the_mutants(self):
        file = Path(__file__).parents[2] / "docs/museum.md"
        self.assertEqual(file.read_text(encoding="utf-8"), museum.page(),
                         "python3 test/museum/museum.py --page > docs/museum.md")

    def test_the_page_on_reliability_has_their_numbers(self):
        told = (Path(__file__).parents[2] / "docs/reliability.md").read_text(encoding="utf-8")
        self.assertIn(f"the bug museum: {len(MUTANTS)} bugs put back", told)
        self.assertIn(f"{sum(not each.tests for each in MUTANTS)} of them by seeds of the simulator", told)

    def test_each_mutant_has_a_rule_and_something_that_sees_it(self):
        for each in MUTANTS:
            self.assertRegex(each.rule, r"^[DP]\d+$", each.name)
            self.assertNotEqual(bool(each.breaks), bool(each.tests), each.name)
        self.assertEqual(len({each.name for each in MUTANTS}), len(MUTANTS))

    def test_a_median_over_the_bar_is_told(self):
        self.assertEqual(museum.judge_median([1, 50, 400]), "")
        self.assertIn("51", museum.judge_median([1, 51, 400]))

    def test_where_all_are_shown_a_list_says_what_caught_each(self):
        lines = self.list_of({"write_quorum": museum.Shown(seeds=4, seed=22, broken={"I1", "I6"}, share=0.25),
                              "pruned_clock": museum.Shown(seeds=500), "unreadable_is_missing": None})
        self.assertIn("| `write_quorum` | D9 | I1 | 22 | 4 | 0.250 |", lines)
        self.assertIn("| `pruned_clock` | D5 | **not caught** |  | 500 |  |", lines)
        self.assertIn("| `unreadable_is_missing` | D30 | `DiskTrouble.One` |  |  |  |", lines)
        self.assertEqual(sum(line.startswith("| `") for line in lines), len(MUTANTS))
        text = " ".join(lines)
        by_seeds = sum(not each.tests for each in MUTANTS) - 1
        self.assertIn(f"Of {len(MUTANTS)} that were shown {len(MUTANTS) - 1} were caught, {by_seeds} of them", text)
        self.assertIn("first seed was 19: after 2 seeds in the median, 4 at most", text)

    def test_of_a_third_there_is_no_list(self):
        self.assertIsNone(self.list_of({}, "--third", "00000000ff"))
        with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit):
            self.list_of({}, "--third", "00000000ff", "--caught", "never-written.md")

    def list_of(self, special, *words):
        """The lines that are written when what is shown shows this; of what is not named, usual things."""
        def show(_, each, *__, **___):
            usual = museum.Shown(seeds=1 if each is CANARY else 2, seed=20, broken={each.breaks.split()[0]})
            return special.get(each.name, usual)

        def show_to_tests(_, each, __):
            return museum.Shown(broken={each.tests.split(".")[0] + ".One"})

        with tempfile.TemporaryDirectory() as folder, \
                unittest.mock.patch.object(museum, "show", show), \
                unittest.mock.patch.object(museum, "show_to_tests", show_to_tests), \
                contextlib.redirect_stdout(io.StringIO()):
            museum.main([os.path.join(folder, "program"), "--seed", "19", *words])
            file = Path(folder) / "museum-caught.md"
            return file.read_text(encoding="utf-8").splitlines() if file.exists() else None

    def test_a_third_is_run_and_all_of_them_in_three_commits(self):
        thirds = [museum.third(MUTANTS, commit) for commit in ("00000000ff", "00000001ff", "00000002ff")]
        names = sorted(each.name for part in thirds for each in part)
        self.assertEqual(names, sorted(each.name for each in MUTANTS))
        self.assertLessEqual(max(map(len, thirds)) - min(map(len, thirds)), 1)

    def test_a_bug_is_caught_and_its_run_becomes_small_and_can_be_repeated(self):
        told, broken = self.caught_shrunk_and_repeated(mutant("write_quorum"), seed=1)
        self.assertIn("story of default/", told)
        self.assertTrue(broken)

    def test_so_is_one_that_ends_the_process(self):
        told, broken = self.caught_shrunk_and_repeated(CANARY, seed=1, seeds=1)
        self.assertEqual(len(broken), 1)
        self.assertTrue(broken[0].startswith("assert: "), broken)
        self.assertIn("replica.cc:", broken[0])
        self.assertIn("events", told)

    def caught_shrunk_and_repeated(self, bug, seed, seeds=museum.SEEDS_MAX):
        """The trace of the shrunk run, and what it breaks."""
        shown = museum.show(PROGRAM, bug, seed=seed, shrink=True, seeds=seeds)
        self.assertTrue(museum.caught_by(bug, shown), shown.output)
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
        for line in broken:
            self.assertIn(f"BROKEN {line}", told)
        return told, broken


if __name__ == "__main__":
    unittest.main()
