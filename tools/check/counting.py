"""How many test cases a run of ctest consisted of, and how many of them failed.

A ctest entry is one binary or script; what counts is the cases inside it. A case that was skipped or
disabled, an entry that was not built and an entry without any case have failed: a test that cannot
run proves nothing.
"""

import json
import re
import xml.etree.ElementTree
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    problems: list = field(default_factory=list)  # for the summary: a line per failure, and how to repeat it
    unsteady: list = field(default_factory=list)  # for the summary: what failed beside others, and passed alone

    def fail(self, why, cases=1):
        self.failed += cases
        self.problems.append(why)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.problems += other.problems
        self.unsteady += other.unsteady


def failure(why):
    count = Count()
    count.fail(why)
    return count


CTEST = "ctest"  # what has no entry of its own
LAST_LINE = re.compile(r"^\s*(\d+) passed, (\d+) failed\.?\s*$")
UNITTEST_RAN = re.compile(r"^Ran (\d+) tests? in ", re.M)
REPRODUCE, REPRODUCE_MAX = re.compile(r"^reproduce: .*$", re.M), 5  # (G34)
# The head of a failure, its lines, and the line that says why: the first behind the trace of calls.
UNITTEST_BAD = re.compile(r"^={70}\n((?:FAIL|ERROR): .*)\n(?:.*\n)??-{70}\n((?:.+\n)*)", re.M)
UNITTEST_WHY = re.compile(r"^(?!Traceback |\s).+$", re.M)
WHY_MAX = 300
UNITTEST_END = re.compile(r"^(OK|FAILED)(?: \((.*)\))?$", re.M)


def count_said(text):
    """What a script says of itself, or None: a last line `N passed, M failed`, or unittest's."""
    lines = [line for line in text.splitlines() if line.strip()]
    said = LAST_LINE.match(lines[-1]) if lines else None
    if said:
        return Count(int(said[1]), int(said[2]))
    ran, end = UNITTEST_RAN.findall(text), UNITTEST_END.findall(text)
    if not ran or not end:
        return None
    bad = sum(int(n) for n in re.findall(r"(?:failures|errors|skipped|unexpected successes)=(\d+)",
                                         " ".join(detail for _, detail in end)))
    total = sum(int(n) for n in ran)
    return Count(max(total - bad, 0), bad)


def unittest_failures(text):
    """Which cases of a script failed, and why: a line each."""
    for head, trace in UNITTEST_BAD.findall(text):
        why = UNITTEST_WHY.search(trace)
        yield f"{head}: {why[0] if why else 'it does not say why'}"[:WHY_MAX]


def count_gtest(report, entry):
    """Cases of one GoogleTest binary from its JSON report."""
    count = Count()
    for suite in report.get("testsuites", []):
        for case in suite.get("testsuite", []):
            name = f"{entry}: {suite['name']}.{case['name']}"
            if case.get("failures"):
                count.fail(name)
            elif case.get("status") != "RUN" or case.get("result") != "COMPLETED":
                count.fail(f"{name} did not run ({case.get('result', case.get('status'))})")
            else:
                count.passed += 1
    return count


def count_entry(name, succeeded, output, report):
    """One ctest entry. `report` is the parsed GoogleTest report or None."""
    inner = count_gtest(report, name) if report is not None else count_said(output)
    if inner is None:
        inner = Count(1, 0) if succeeded else Count()
    if inner.failed and not inner.problems:
        inner.problems.append(f"{name}: {inner.failed} cases")
        inner.problems += unittest_failures(output)
    if not succeeded and inner.failed == 0:
        inner.fail(f"{name} failed (crash, time limit, leak or exit code)")
    if inner.passed + inner.failed == 0:
        inner.fail(f"{name} ran no case")
    if inner.failed:
        inner.problems += REPRODUCE.findall(output)[:REPRODUCE_MAX]
    return inner


def count_entries(junit_file, gtest_dir):
    """Each entry of a ctest run by its name, from its JUnit file and the reports of the binaries; what is wrong with the
    run itself stands under CTEST."""
    junit_file, counts = Path(junit_file), {}
    if not junit_file.exists():
        return {CTEST: failure("ctest left no report")}
    for case in xml.etree.ElementTree.parse(junit_file).getroot().iter("testcase"):
        name = case.get("name")
        report_file = Path(gtest_dir) / f"{name}.json"
        report = None
        if report_file.exists():
            try:
                report = json.loads(report_file.read_text())
            except ValueError:
                report = None  # cut off by a crash; the entry failed then
        output = case.findtext("system-out") or ""
        counts[name] = count_entry(name, case.get("status") == "run", output, report)
    return counts or {CTEST: failure("no test ran")}


def judge_alone(beside, alone):
    """What entries amount to that ran beside others, when some that failed have been run once more with nothing beside
    them. Both are counts by name. A failure that alone does not come again is told, not counted."""
    count = Count()
    for name, last in {**beside, **alone}.items():
        count.add(last)
        if name in beside and not last.failed:
            count.unsteady += beside[name].problems
    return count
