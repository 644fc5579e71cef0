"""redis-benchmark, plain and in cluster mode, RESP2 and RESP3: it ends well, complains of nothing, and
what it wrote is there."""

import re
import unittest

from support import PATIENCE_S, ThreeNodes, tool

REQUESTS = 2000


class RedisBenchmark(ThreeNodes):
    def benchmark(self, node: int, *flags: str) -> list[tuple[str, float]]:
        """(test, requests per second)"""
        ended = tool("redis-benchmark", "-p", self.redis_port(node), "-n", str(REQUESTS), "-c", "20", "--csv",
                     *flags, timeout_s=4 * PATIENCE_S)
        self.assertEqual((ended.returncode, ended.stderr.strip()), (0, b""), flags)
        told = ended.stdout.decode()
        self.assertNotRegex(told, r"(?i)error|warn|fail")
        rows = [(row[0], float(row[1])) for row in re.findall(r'^"([^"]+)","([0-9.]+)"', told, re.M)]
        self.assertTrue(rows, told)
        self.assertTrue(all(rate > 0 for _, rate in rows), rows)
        return rows

    def test_get_and_set_alone_and_with_pipelines(self):
        for version in ([], ["-3"]):
            for pipeline in ("1", "16"):
                for mode in ([], ["--cluster"]):
                    flags = [*version, *mode, "-t", "set,get", "-r", "500", "-d", "100", "-P", pipeline]
                    with self.subTest(" ".join(flags)):
                        rows = self.benchmark(1, *flags)
                        self.assertEqual([name for name, _ in rows], ["SET", "GET"])

    def test_several_threads(self):
        for mode in ([], ["--cluster"]):
            self.benchmark(2, *mode, "--threads", "2", "-t", "set,get", "-r", "500", "-d", "100")

    def test_other_commands(self):
        names = [name for name, _ in self.benchmark(0, "-t", "ping,mset", "-r", "500")]
        self.assertEqual(names[:2], ["PING_INLINE", "PING_MBULK"])
        self.assertTrue(names[2].startswith("MSET"), names)

    def test_a_command_of_ones_own(self):
        for version in ([], ["-3"]):
            self.benchmark(0, *version, "-r", "100", "ST.PUT", "own:__rand_int__", "v", "W", "2")
            self.benchmark(1, *version, "-r", "100", "ST.GET", "own:__rand_int__")

    def test_what_it_wrote_is_there_through_every_node(self):
        for number, flags in enumerate(([], ["--cluster"], ["-3"], ["-3", "--cluster"])):
            key = f"{{slot{number}}}:__rand_int__"
            self.benchmark(number % 3, *flags, "-r", "50", "SET", key, f"by {number}")
            for node in range(3):
                found = set(self.redis_cli(node, "--scan", "--pattern", f"{{slot{number}}}:*").split(b"\n"))
                self.assertEqual(found, {b"{slot%d}:%012d" % (number, i) for i in range(50)})
                value = self.redis_cli(node, "GET", f"{{slot{number}}}:{7:012d}")
                self.assertEqual(value, b"by %d" % number)

    def test_a_refused_command_ends_it_with_an_error(self):
        # The other direction: errors of the server do reach this test.
        ended = tool("redis-benchmark", "-p", self.redis_port(0), "-n", "10", "-e", "-t", "incr")
        self.assertIn(b"concurrent changes would be lost", ended.stdout + ended.stderr)


if __name__ == "__main__":
    unittest.main()
