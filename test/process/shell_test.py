"""The program as a good citizen of a shell: completion, colour, pipes, exit codes, settings in files."""

import os
import pty
import subprocess
import tempfile
import unittest
from pathlib import Path

from nodes import BINARY, Cluster, PATIENCE_S, die_with_parent, run


def complete(*words: str) -> list[str]:
    """What bash offers for the last of `words`."""
    script = ("source /dev/stdin <<< \"$($0 completion bash)\"; COMP_WORDS=(\"$@\"); "
              "COMP_CWORD=$(($# - 1)); _stator; printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "-c", script, BINARY, "stator", *words], check=True,
                          capture_output=True, text=True, timeout=PATIENCE_S)
    return done.stdout.split()


def on_a_terminal(*arguments: str, **environment: str) -> str:
    ours, theirs = pty.openpty()
    try:
        clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        subprocess.run([BINARY, *arguments], stdout=theirs, stdin=subprocess.DEVNULL, check=True,
                       timeout=PATIENCE_S, env={**clean, **environment})
        return os.read(ours, 1 << 20).decode()
    finally:
        os.close(ours)
        os.close(theirs)


class Shell(unittest.TestCase):
    def test_bash_completes_commands_options_and_values(self):
        self.assertEqual(complete("exp"), ["explain"])
        self.assertEqual(complete("config", ""), ["check", "show", "--help"])
        self.assertEqual(complete("serve", "--redis-"), ["--redis-listen", "--redis-announce"])
        self.assertEqual(complete("get", "b", "k", "-o", "j"), ["json"])
        self.assertEqual(complete("get", "b", "k", "--output", ""), ["table", "json", "raw"])
        self.assertEqual(complete("completion", "f"), ["fish"])
        self.assertIn("rocksdb", complete("dev", "--engine", ""))

    def test_colour_only_on_a_terminal_and_not_with_no_color(self):
        self.assertIn("\033[1m", on_a_terminal("config", "show"))
        self.assertNotIn("\033", on_a_terminal("config", "show", NO_COLOR="1"))
        self.assertNotIn("\033", run("config", "show").stdout)

    def test_a_reader_that_leaves_early_is_no_crash(self):
        done = subprocess.run(["bash", "-c", "\"$0\" man | head -1; echo ${PIPESTATUS[0]}", BINARY],
                              capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertIn(".TH STATOR 1", done.stdout)
        self.assertIn(int(done.stdout.split()[-1]), (0, 1))

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([BINARY, "man"], stdout=full, stderr=subprocess.PIPE,
                                  timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 1)

    def test_exit_codes(self):
        self.assertEqual(run("version").returncode, 0)
        self.assertEqual(run("nonsense").returncode, 2)
        self.assertEqual(run("status", "--node", "127.0.0.1:1").returncode, 3)
        self.assertEqual(run("status", env={**os.environ, "STATOR_NODE": "127.0.0.1:1"}).returncode, 3)
        self.assertEqual(run("status", env={**os.environ, "STATOR_NODE": "nowhere"}).returncode, 2)

    def test_something_that_is_no_node_is_told_apart(self):
        with Cluster(1) as cluster:
            node = cluster.nodes[0]
            # The Redis port hangs up on HTTP.
            done = run("status", "--node", f"127.0.0.1:{node.redis_port}")
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^stator: .+\nnext: .+ --node HOST:PORT .+\n$")

    def test_a_node_is_started_from_a_file_and_the_variable_names_it(self):
        with Cluster(1) as cluster, tempfile.TemporaryDirectory() as folder:
            node = cluster.nodes[0]
            node.kill()
            file = Path(folder) / "stator.toml"
            file.write_text(f"name = '{node.name}'\ndata_dir = '{node.data}'\nshards = 1\n"
                            f"redis_listen = '127.0.0.1:{node.redis_port}'\n"
                            f"http_listen = '127.0.0.1:{node.http_port}'\n"
                            f"peer_listen = '127.0.0.1:{node.peer_port}'\nvalue_bytes_max = '2KiB'\n")
            process = subprocess.Popen([BINARY, "serve", "--config", str(file)],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                       preexec_fn=die_with_parent)
            try:
                lines = [process.stdout.readline().split() for _ in range(4)]
                self.assertEqual(lines, [["redis", f"127.0.0.1:{node.redis_port}"],
                                         ["http", f"127.0.0.1:{node.http_port}"],
                                         ["peers", f"127.0.0.1:{node.peer_port}"], ["ready"]])
                env = {**os.environ, "STATOR_NODE": f"127.0.0.1:{node.http_port}"}
                self.assertEqual(run("put", "b", "k", "x" * 2048, env=env).returncode, 0)
                refused = run("put", "b", "k", "x" * 2049, env=env)
                self.assertEqual(refused.returncode, 1)
                self.assertIn("2048", refused.stderr)
            finally:
                process.terminate()
                self.assertEqual(process.wait(PATIENCE_S), 0)
                process.stdout.close()


if __name__ == "__main__":
    unittest.main()
