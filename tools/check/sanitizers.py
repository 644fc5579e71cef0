"""What sanitizers find, in whatever process they find it.

Tests kill nodes and remove their logs, and a process that is killed has no exit code to tell by. So each report
goes to a file of its own in build/check/reports, and every such file is a failure.
"""

import re
import shutil

from counting import Count

OPTIONS = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")

# Two threads that add to one number, and a process that is killed as soon as they have.
RACE = """\
#include <pthread.h>

static volatile int number;

static void* add(void* nothing) {
  for (int i = 0; i < 1000; ++i) number = number + 1;
  return nothing;
}

void race(void) {
  pthread_t other;
  pthread_create(&other, 0, add, 0);
  add(0);
  pthread_join(other, 0);
}
"""
KILLED = """\
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

void race(void);

int main(void) {
  race();
  puts("raced");
  fflush(stdout);
  return kill(getpid(), SIGKILL);
}
"""


def collect(run, name, work):
    """(what `work()` returns, the files of the reports that came meanwhile)"""
    folder = run.logs / "reports" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    before = dict(run.environment)
    for options in OPTIONS:
        run.environment[options] += f":log_path={folder}/report"
    try:
        result = work()
    finally:
        run.environment = before
    return result, sorted(folder.iterdir())


def with_reports(run, name, work):
    """What `work()` counts; that nobody reported anything is a case of its own, and so is each report."""
    count, reports = collect(run, name, work)
    for report in reports:
        text = report.read_text(errors="replace")
        run.write(f"---- {report}\n{text}\n")
        count.fail(f"{name}: {summary(text)} ({report})")
    if not reports:
        count.passed += 1
    return count


def summary(text):
    """Of a report, in one line."""
    said = re.search(r"^SUMMARY: (.+)$", text, re.M)
    lines = [line for line in text.splitlines() if line.strip(" =")]
    return said[1] if said else lines[0].strip() if lines else "a report without a word"


def race_canaries(run):
    """A race in code of ours is reported although its process is killed; the same race in a library that is called
    like RocksDB's, which tools/tsan.supp leaves out, is not."""
    folder = run.logs / "canary"
    folder.mkdir(exist_ok=True)
    race, killed, library = folder / "race.c", folder / "killed.c", folder / "librocksdb.so"
    race.write_text(RACE)
    killed.write_text(KILLED)
    compiler = ["clang-19", "-O1", "-g1", "-fsanitize=thread", "-pthread"]
    count = Count()
    for words in (["-shared", "-fPIC", race, "-o", library], [killed, race, "-o", folder / "ours"],
                  [killed, library, "-o", folder / "rocksdb"]):
        ok, _ = run.command([*compiler, *map(str, words)])
        if not ok:
            count.fail("the canaries of ThreadSanitizer do not compile")
            return count
    for name, told in (("ours", True), ("rocksdb", False)):
        (_, output), reports = collect(run, f"canary-{name}", lambda: run.command([str(folder / name)]))
        if "raced" in output and bool(reports) == told:
            count.passed += 1
        else:
            count.fail(f"the canary '{name}' of ThreadSanitizer left {len(reports)} reports, "
                       f"{'one' if told else 'none'} is wanted")
    return count
