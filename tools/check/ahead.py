"""What later shelves build, built while tests run that mostly wait.

The builder takes a core only where nobody else wants it (the kernel's class for idle work). It costs those tests time
all the same, since cores share caches and memory: on two of them 264 s of building made 290 to 340 s of tests 488. It
is no shelf: whoever needs a build makes it again, finds it made, or finds and tells what is wrong with it.
"""

import os
import shlex
import signal
import subprocess


class BuildsAhead:
    def __init__(self, root, log_file, environment):
        self._root, self._log_file, self._environment = root, log_file, environment
        self._process = None

    def begin(self, builds):
        """Each of `builds` is a list of commands, of which one is run when the one before has succeeded."""
        script = "; ".join("{ " + " && ".join(shlex.join(command) for command in build) + "; }" for build in builds)
        with open(self._log_file, "wb") as log:
            self._process = subprocess.Popen(["chrt", "--idle", "0", "sh", "-c", script], cwd=self._root,
                                             env=self._environment, stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=subprocess.STDOUT, start_new_session=True)

    def wait(self, limit_s):
        """Until all are over, however they ended. What takes longer than the limit is ended."""
        if self._process is None:
            return
        try:
            self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.stop()

    def stop(self):
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
