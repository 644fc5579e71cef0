"""A test of real processes that fails says in one line how to do the same again (G34)."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SCRIPT = f"""
import random
import sys
import unittest

sys.path.insert(0, {str(HERE)!r})
from torture import FULL, SEED, TortureTest


class Drawn(TortureTest):
    def test_holds(self):
        self.assertTrue(SEED)

    def test_breaks(self):
        self.fail(f"drew {{random.Random(SEED).random()}}, full size: {{FULL}}")


if __name__ == "__main__":
    unittest.main()
"""


class Repeat(unittest.TestCase):
    def output_of(self, command, **settings) -> str:
        """Of a run that fails, with no setting but these."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STATOR_")}
        ended = subprocess.run(command, shell=isinstance(command, str), cwd=ROOT, env={**environment, **settings},
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(ended.returncode, 1, ended.stdout)
        return ended.stdout

    def test_the_line_that_is_printed_fails_alone_and_in_the_same_way(self):
        for full in ({}, {"STATOR_FULL": "1"}):
            with tempfile.TemporaryDirectory(prefix="stator test ") as folder:
                script = Path(folder) / "drawn_test.py"
                script.write_text(SCRIPT)
                first = self.output_of(["python3", str(script)], STATOR_SEED="1234567",
                                       STATOR_BINARY=os.environ["STATOR_BINARY"], **full)
                self.assertIn("Ran 2 tests", first)
                line, = re.findall(r"^reproduce: (.*)$", first, re.M)
                again = self.output_of(line)
            self.assertIn("Ran 1 test ", again)
            drawn = r"drew 0\.\d+, full size: \w+"
            self.assertEqual(re.findall(drawn, again)[-1], re.findall(drawn, first)[-1])
            self.assertIn(f"full size: {bool(full)}", again)
            self.assertEqual(re.findall(r"^reproduce: (.*)$", again, re.M), [line])

    def test_what_hangs_has_said_it_too(self):
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "drawn_test.py"
            script.write_text(SCRIPT)
            told = self.output_of(["python3", str(script)], STATOR_BINARY=os.environ["STATOR_BINARY"])
        cases = re.findall(r"^to repeat: STATOR_SEED=\d+ .* Drawn\.(\w+)$", told, re.M)
        self.assertEqual(sorted(cases), ["test_breaks", "test_holds"])


if __name__ == "__main__":
    unittest.main()
