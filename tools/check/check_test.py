"""The counters of ./check must not turn a failure, a crash, a skip or an empty run into a pass."""

import io
import os
import re
import sys
import tempfile
import time
import types
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import ahead  # noqa: E402
import counting  # noqa: E402
import run  # noqa: E402
import sanitizers  # noqa: E402
import shelves  # noqa: E402


def gtest_report(*cases):
    return {"testsuites": [{"name": "S", "testsuite": [dict({"name": f"c{i}"}, **case)
                                                       for i, case in enumerate(cases)]}]}


GOOD = {"status": "RUN", "result": "COMPLETED"}
BAD = dict(GOOD, failures=[{"failure": "x"}])
SKIPPED = {"status": "RUN", "result": "SKIPPED"}
DISABLED = {"status": "NOTRUN", "result": "SUPPRESSED"}


class Counting(unittest.TestCase):
    def entry(self, succeeded=True, output="", report=None):
        count = counting.count_entry("t", succeeded, output, report)
        self.assertEqual(bool(count.failed), bool(count.problems))
        return count.passed, count.failed

    def test_gtest_cases_are_counted_one_by_one(self):
        self.assertEqual(self.entry(report=gtest_report(GOOD, GOOD)), (2, 0))
        self.assertEqual(self.entry(False, report=gtest_report(GOOD, BAD)), (1, 1))

    def test_skipped_and_disabled_have_failed(self):
        self.assertEqual(self.entry(report=gtest_report(GOOD, SKIPPED, DISABLED)), (1, 2))

    def test_a_failing_exit_code_counts_although_all_cases_passed(self):
        self.assertEqual(self.entry(False, report=gtest_report(GOOD)), (1, 1))

    def test_a_binary_without_cases_has_failed(self):
        self.assertEqual(self.entry(report=gtest_report()), (0, 1))

    def test_scripts(self):
        self.assertEqual(self.entry(True, "all is well\n"), (1, 0))
        self.assertEqual(self.entry(False, "crash\n"), (0, 1))
        self.assertEqual(self.entry(True, "a\n7 passed, 0 failed\n"), (7, 0))
        self.assertEqual(self.entry(True, "7 passed, 2 failed\n"), (7, 2))
        self.assertEqual(self.entry(False, "7 passed, 0 failed\n"), (7, 1))
        self.assertEqual(self.entry(True, "0 passed, 0 failed\n"), (0, 1))

    def test_unittest_scripts(self):
        self.assertEqual(self.entry(True, "Ran 5 tests in 0.1s\n\nOK\n"), (5, 0))
        self.assertEqual(self.entry(True, "Ran 5 tests in 0.1s\n\nOK (skipped=2)\n"), (3, 2))
        self.assertEqual(self.entry(False, "Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=1)\n"), (3, 2))

    def test_how_to_repeat_a_failure_is_told(self):
        output = "x\nreproduce: STATOR_SEED=3 python3 a_test.py A.test_b\n.reproduce: not this\n"
        count = counting.count_entry("t", False, output + "3 passed, 1 failed\n", None)
        self.assertEqual(count.problems, ["t: 1 cases", "reproduce: STATOR_SEED=3 python3 a_test.py A.test_b"])
        count = counting.count_entry("t", True, output + "4 passed, 0 failed\n", None)
        self.assertEqual(count.problems, [])

    def test_which_case_of_a_script_failed_is_told_with_its_reason(self):
        class Two(unittest.TestCase):
            def test_wrong(self):
                """A sentence about it."""
                self.assertEqual(1, 2)

            def test_broken(self):
                raise OSError("no such thing")

            def test_right(self):
                pass
        output = io.StringIO()
        unittest.TextTestRunner(output).run(unittest.TestLoader().loadTestsFromTestCase(Two))
        count = counting.count_entry("t", False, output.getvalue(), None)
        self.assertEqual((count.passed, count.failed, count.problems[0]), (1, 2, "t: 2 cases"))
        self.assertRegex(count.problems[1], r"^ERROR: test_broken .*: OSError: no such thing$")
        self.assertRegex(count.problems[2], r"^FAIL: test_wrong .*: AssertionError: 1 != 2$")
        self.assertEqual(len(count.problems), 3)

    def count(self, xml):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "r.xml"
            if xml is not None:
                file.write_text(xml)
            count = counting.judge_alone(counting.count_entries(file, folder), {})
        return count.passed, count.failed

    def test_ctest_reports(self):
        self.assertEqual(self.count(None), (0, 1))
        self.assertEqual(self.count("<testsuite></testsuite>"), (0, 1))
        self.assertEqual(self.count('<testsuite><testcase name="a" status="run"/></testsuite>'), (1, 0))
        self.assertEqual(self.count('<testsuite><testcase name="a" status="fail"/></testsuite>'), (0, 1))
        self.assertEqual(self.count('<testsuite><testcase name="a" status="notrun"/></testsuite>'), (0, 1))
        self.assertEqual(self.count('<testsuite><testcase name="a" status="disabled"/></testsuite>'), (0, 1))

    def test_what_fails_beside_others_is_judged_alone_and_told(self):
        def failed():
            count = counting.Count(3)
            count.fail("b: it was late")
            return count
        beside = {"a": counting.Count(2), "b": failed()}
        steady = counting.judge_alone(beside, {})
        self.assertEqual((steady.passed, steady.failed, steady.unsteady), (5, 1, []))
        again = counting.judge_alone(beside, {"b": failed()})
        self.assertEqual((again.passed, again.failed, again.unsteady), (5, 1, []))
        once = counting.judge_alone(beside, {"b": counting.Count(4)})
        self.assertEqual((once.passed, once.failed, once.problems), (6, 0, []))
        self.assertEqual(once.unsteady, ["b: it was late"])


class Commands(unittest.TestCase):
    def test_one_that_lasts_long_is_told_line_by_line(self):
        with tempfile.TemporaryDirectory() as folder:
            judge = run.Run(folder, shelves.DEFAULT)
            told = []
            judge.log = types.SimpleNamespace(write=told.append, flush=lambda: None)
            words = ["sh", "-c", "echo one; echo two; exit 3"]
            self.assertEqual(judge.command(words, follow=True), (False, "one\ntwo\n"))
            self.assertEqual(told[1:3], ["one\n", "two\n"])
            self.assertEqual(judge.command(words), (False, "one\ntwo\n"))
            self.assertEqual(len(told), 5, "all at once")
            self.assertEqual(re.sub(r", .* s", "", "".join(told[:4])), re.sub(r", .* s", "", told[4]))


class Shelves(unittest.TestCase):
    """An entry of real processes that fails beside others is run alone, once; no other is."""

    def run_of(self, name, label, codes):
        """A run of ctest, of one entry that ends with these codes one after the other. None: it leaves no report; "all
        passed": it says so, and fails all the same."""
        left = list(codes)
        folder = self.enterContext(tempfile.TemporaryDirectory())

        def command(words, **_):
            junit = Path(words[words.index("--output-junit") + 1])
            code = left.pop(0)
            if code is not None:
                status = "run" if code in (0, "all passed") else "fail"
                junit.write_text(f'<testsuite><testcase name="{name}" status="{status}"/></testsuite>')
            return code == 0, ""
        run = types.SimpleNamespace(root=Path(folder), logs=Path(folder), mode=shelves.DEFAULT, jobs=2, command=command,
                                    tests_of=lambda *_: [name], await_builds_ahead=lambda: None)
        count = shelves.run_ctest(run, "build", label)
        return count.passed, count.failed, len(count.unsteady), left

    def test_it_passes_alone(self):
        self.assertEqual(self.run_of("process_a", "process", [1, 0]), (1, 0, 1, []))
        self.assertEqual(self.run_of("hostile_a", "process", [1, 0]), (1, 0, 1, []))

    def test_it_fails_again(self):
        self.assertEqual(self.run_of("process_a", "process", [1, 1, 0]), (0, 1, 0, [0]))

    def test_it_fails_when_the_second_run_says_nothing(self):
        self.assertEqual(self.run_of("process_a", "process", [1, None]), (0, 2, 0, []))

    def test_it_fails_when_ctest_fails_without_a_failed_entry(self):
        self.assertEqual(self.run_of("process_a", "process", [1, "all passed"]), (1, 1, 1, []))
        self.assertEqual(self.run_of("torture_a", "process", ["all passed"]), (1, 1, 0, []))

    def test_what_looks_for_lost_writes_has_one_chance(self):
        self.assertEqual(self.run_of("torture_a", "process", [1, 0]), (0, 1, 0, [0]))

    def test_other_shelves_have_one_chance(self):
        self.assertEqual(self.run_of("process_a", "clients", [1, 0]), (0, 1, 0, [0]))


class Simulator(unittest.TestCase):
    """What `stator sim` prints, and what of it is too little."""

    def shortfalls(self, rates, operations=25.0, events=200_000, fast=False, keys=100):
        lines = [f"seed {n} shards 1,3,2 dense 15 s 9 of 10 ops ({rate}/s) on {keys} keys: 9 acknowledged"
                 for n, rate in enumerate(rates)]
        lines.append(f"seeds={len(rates)} broken=0 begun=9 operations=9 operations_per_s={operations} "
                     f"acknowledged=9 events=9 events_per_s={events} times_real=9.0 trace=0123456789abcdef")
        return shelves.sim_shortfalls("\n".join(lines), len(rates), fast)

    def test_enough(self):
        self.assertEqual(self.shortfalls([500, 3]), [])
        self.assertEqual(self.shortfalls([500, 3], events=9), [])
        self.assertEqual(self.shortfalls([500, 3], fast=True), [])

    def test_too_little(self):
        for short in (self.shortfalls([499, 3]), self.shortfalls([500, 3, 3]),
                      self.shortfalls([500, 3], keys=101), self.shortfalls([500, 3], operations=19.9),
                      self.shortfalls([500, 3], events=99_999, fast=True)):
            self.assertEqual(len(short), 1, short)

    def bounds(self, share, seeds=300, hours=112, acknowledged=6_000_000, twice=None, minutes=45):
        twice = seeds // 10 if twice is None else twice
        return shelves.sim_bounds(f"seeds={seeds} broken=0 simulated_s={hours * 3600} begun=9 "
                                  f"acknowledged={acknowledged} unknown=9 twice={twice} events=9\n", share, minutes)

    def test_which_bound_held_is_said(self):
        found, held = self.bounds(1)
        self.assertEqual(found, [])
        self.assertEqual(held, "300 seeds (least: 300), 112.0 hours (least: 100), "
                               "6000000 acknowledged writes (wanted: 5e+06); 30 seeds twice; 45.0 minutes of two "
                               "cores (all that is wanted would take about 90.0: 20 do not give that)")
        found, held = self.bounds(0.05, seeds=30, hours=10, acknowledged=100_000, minutes=0.4)
        self.assertEqual(found, [])
        self.assertEqual(held, "30 seeds (wanted: 30), 10.0 hours (wanted: 10), "
                               "100000 acknowledged writes (least: 100000); 3 seeds twice; 0.4 minutes of two "
                               "cores (all that is wanted would take about 1.0: which fits into 1)")

    def test_where_all_that_is_wanted_was_simulated_only_the_time_is_said(self):
        found, held = self.bounds(1, seeds=600, hours=200, acknowledged=5_000_000, minutes=19)
        self.assertEqual(found, [])
        self.assertNotIn("least", held)
        self.assertTrue(held.endswith("; 60 seeds twice; 19.0 minutes of two cores"), held)

    def test_less_than_the_least_is_too_little(self):
        for less in (self.bounds(1, seeds=299), self.bounds(1, hours=99), self.bounds(1, acknowledged=1_999_999),
                     self.bounds(1, twice=29), self.bounds(0.05, seeds=14, hours=5)):
            self.assertEqual(len(less[0]), 1, less)
        self.assertEqual(len(self.bounds(1, acknowledged=0)[0]), 1)
        self.assertTrue(shelves.sim_bounds("seeds=300 broken=0", 1, 45)[0])

    def test_output_that_says_nothing(self):
        self.assertTrue(shelves.sim_shortfalls("", 2, False))
        self.assertTrue(shelves.sim_shortfalls("seeds=1 broken=0", 1, False))


class RareStates(unittest.TestCase):
    """At full size nine of ten are met, by runs with and without disks that fail together (G8)."""

    def setUp(self):
        self.told = []
        self.outputs = {}
        self.run = types.SimpleNamespace(mode=shelves.FULL, jobs=2, seed=7, logs=Path("logs"), probes={},
                                         write=self.told.append, command=self.command)

    def command(self, words, follow):
        """`stator sim`: what it says of so many seeds, each of which was good."""
        option = dict(zip(words, words[1:]))
        seeds = range(7, 7 + int(option["--seeds"]))
        lines = [f"seed {n} shards 1 dense 15 s 9 of 10 ops (900/s) on 9 keys trace={n:016x}" for n in seeds]
        lines += self.outputs.get(option["--faults"], [])
        lines.append(f"seeds={len(seeds)} broken=0 simulated_s=720000 begun=9 operations=9 operations_per_s=99.0 "
                     f"acknowledged=9000000 twice={len(seeds) // 10} events=9 events_per_s=200000 "
                     "trace=0123456789abcdef")
        return option["--faults"] not in self.broken, "\n".join(lines)

    broken = ()

    @staticmethod
    def probes(met, known=200):
        return [f"{'reached 3' if n in met else 'never'} state {n}: rare" for n in range(known)] + [
            f"probes={known} reached={len(met)}"]

    def test_what_both_have_met_is_judged_by_the_second(self):
        self.outputs = {"all": self.probes(range(0, 170)), "disks": self.probes(range(80, 180))}
        for shelf in (shelves.sim_release, shelves.sim_disks):
            self.assertEqual(shelf(self.run).problems, [])
        self.assertIn("180 of 200 rare states met with --faults all and disks\n", self.told)

    def test_one_less_is_too_few_and_those_that_nobody_met_are_named(self):
        self.outputs = {"all": self.probes(range(0, 170)), "disks": self.probes(range(80, 179))}
        self.assertEqual(shelves.sim_release(self.run).problems, [])
        problem, = shelves.sim_disks(self.run).problems
        self.assertIn("179 of 200", problem)
        self.assertIn("never: state 179: rare, state 180: rare", problem)
        self.assertNotIn("state 178:", problem)

    def test_a_run_alone_says_so_and_judges_no_share(self):
        for shelf, faults, other in ((shelves.sim_release, "all", "disks"), (shelves.sim_disks, "disks", "all")):
            self.run.probes = {}
            self.outputs = {faults: self.probes(range(3))}
            self.assertEqual(shelf(self.run).problems, [])
            self.assertEqual(self.told[-1 if faults == "disks" else -2],
                             f"3 of 200 rare states met with --faults {faults}; no share is judged without a run of "
                             f"--faults {other}\n")

    def test_what_a_run_met_in_which_a_seed_broke_counts(self):
        self.outputs = {"all": self.probes(range(0, 170)), "disks": self.probes(range(80, 180))}
        self.broken = ("all",)
        self.assertEqual(len(shelves.sim_release(self.run).problems), 1)
        self.assertEqual(shelves.sim_disks(self.run).problems, [])

    def test_too_few_that_the_code_names(self):
        self.outputs = {"disks": self.probes(range(149), known=149)}
        problem, = shelves.sim_disks(self.run).problems
        self.assertIn("149 probes", problem)

    def test_output_that_does_not_tell_of_each(self):
        for lines in ([], self.probes(range(190))[1:], ["probes=200 reached=190"]):
            self.outputs = {"disks": lines}
            self.assertEqual(len(shelves.sim_disks(self.run).problems), 1)

    def test_below_the_full_size_none_is_judged(self):
        self.run.mode = shelves.DEFAULT
        self.assertEqual(shelves.sim_disks(self.run).problems, [])
        self.assertEqual(self.run.probes, {})


class Reports(unittest.TestCase):
    """What sanitizers wrote to the place that they were told has failed, whatever the tests say."""

    def run_once(self, folder, *reports):
        """A shelf whose three tests pass, while processes write these reports."""
        told = []
        usual = {name: "usual=1" for name in sanitizers.OPTIONS}
        run = types.SimpleNamespace(logs=Path(folder), environment=dict(usual), write=told.append)

        def tests():
            place, = {re.search(r":log_path=([^:]+)$", run.environment[name])[1] for name in usual}
            for number, text in enumerate(reports):
                Path(f"{place}.{number}").write_text(text)
            return counting.Count(passed=3)

        count = sanitizers.with_reports(run, "tsan", tests)
        self.assertEqual(run.environment, usual)
        for text in reports:
            self.assertIn(text, "".join(told))
        return count

    def test_each_report_has_failed_and_is_named_and_shown(self):
        race = "======\nWARNING: ThreadSanitizer: data race (pid=7)\nSUMMARY: ThreadSanitizer: data race a.cc:3 in f\n"
        with tempfile.TemporaryDirectory() as folder:
            count = self.run_once(folder, race, "==7==ERROR: cut off", "")
            self.assertEqual((count.passed, count.failed), (3, 3))
            for problem, said in zip(count.problems, ("ThreadSanitizer: data race a.cc:3 in f (", "ERROR: cut off (",
                                                      "without a word (")):
                self.assertIn(said, problem)

    def test_without_reports_there_is_one_more_case_and_earlier_ones_are_forgotten(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(self.run_once(folder, "left").failed, 1)
            count = self.run_once(folder)
            self.assertEqual((count.passed, count.failed), (4, 0))


class Table(unittest.TestCase):
    def test_names_are_unique(self):
        names = [shelf.name for shelf in shelves.SHELVES]
        self.assertEqual(len(names), len(set(names)))

    def test_every_label_of_cmake_is_a_shelf(self):
        cmake = (Path(__file__).resolve().parents[2] / "cmake/targets.cmake").read_text()
        listed = cmake.split("set(STATOR_SHELVES ")[1].split(")")[0].split()
        self.assertEqual(listed, [label for label, _, _ in shelves.LABELS])


class Ahead(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.builds = ahead.BuildsAhead(self.folder, self.folder / "log", dict(os.environ))
        self.addCleanup(self.builds.stop)

    def test_a_failed_step_ends_its_build_and_not_the_next_one(self):
        self.builds.begin([[["touch", "a b"], ["false"], ["touch", "never"]], [["cp", "a b", "c"]]])
        self.builds.wait(60)
        self.assertTrue((self.folder / "c").exists(), (self.folder / "log").read_text())
        self.assertFalse((self.folder / "never").exists())

    def test_it_runs_where_nobody_else_does(self):
        self.builds.begin([[["sh", "-c", "chrt --pid $$"]]])
        self.builds.wait(60)
        self.assertIn("SCHED_IDLE", (self.folder / "log").read_text())

    def test_what_takes_too_long_is_ended_with_all_that_it_began(self):
        self.builds.begin([[["sh", "-c", "echo $$ >pid; exec sleep 600"]]])
        pid_file = self.folder / "pid"
        while not pid_file.exists() or not pid_file.read_text():
            time.sleep(0.01)
        self.builds.wait(0)
        command_line = Path(f"/proc/{int(pid_file.read_text())}/cmdline")
        began = time.monotonic()
        while command_line.exists() and command_line.read_bytes():  # empty: it has ended, and nobody asked how
            self.assertLess(time.monotonic() - began, 60)
            time.sleep(0.01)

    def test_nothing_begun_is_nothing_to_wait_for(self):
        self.builds.wait(0)
        self.builds.stop()


if __name__ == "__main__":
    unittest.main()
