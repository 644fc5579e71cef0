"""What `stator sim` says when a seed breaks an invariant, and that the line that it prints brings the same
failure back (I19). The program, the only argument, is the museum's, with a mutant that breaks I9."""

import os
import shlex
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop()
# No figure is the default one, and the length has more digits than a print shows by itself.
FLAGS = ["--seed", "2", "--seeds", "4", "--nodes", "4", "--minutes", "0.10000001"]


def run(arguments):
    with tempfile.TemporaryDirectory() as traces:
        done = subprocess.run([PROGRAM, *arguments, "--traces", traces], capture_output=True, text=True, timeout=600,
                              env=dict(os.environ, STATOR_MUTANT="incarnation"))
    return done.returncode, done.stdout.splitlines()


def story(lines, seed):
    """What was said of a seed: its figures with the hash of its trace, and what it broke."""
    return [line for line in lines if line.startswith((f"seed {seed} ", f"BROKEN seed {seed}: "))]


class Reproduce(unittest.TestCase):
    def check_every_line(self, faults):
        code, lines = run(["sim", *FLAGS, "--faults", faults])
        self.assertEqual(code, 1, lines)
        failures = [line for line in lines if line.startswith("BROKEN seed ")]
        self.assertTrue(any(": I9: " in line for line in failures), lines)
        broken = sorted({line.split()[2].rstrip(":") for line in failures})
        figures, = (line for line in lines if line.startswith("seeds="))
        self.assertIn(f" broken={len(broken)} ", figures)
        self.assertTrue(lines[-1].startswith(f"{4 - len(broken)} of 4 seeds kept every promise; "), lines[-1])
        prefix = "reproduce: "
        commands = [shlex.split(line.removeprefix(prefix)) for line in lines if line.startswith(prefix)]
        self.assertEqual(sorted(command[command.index("--seed") + 1] for command in commands), broken)
        for program, *arguments in commands:
            self.assertEqual(program, "stator")
            seed = arguments[arguments.index("--seed") + 1]
            again, said = run(arguments)
            self.assertEqual(again, 1, arguments)
            self.assertIn("; trace=", story(said, seed)[0])
            self.assertEqual(story(said, seed), story(lines, seed))

    def test_each_broken_seed_prints_one_line_that_breaks_it_again(self):
        self.check_every_line("all")

    def test_so_it_does_with_families_of_faults_that_were_named(self):
        self.check_every_line("crash,kill,messages")


if __name__ == "__main__":
    unittest.main()
