"""`stator bench` against a real cluster, and against another server of the same protocol."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from nodes import BINARY, PATIENCE_S, Cluster, claim_any, die_with_parent, run, wait_until

LATENCY = ["min", "mean", "p50", "p90", "p99", "p999", "max"]
KIND = ["operations", "rate", "not_found", "errors", "latency_us", "tryagain_us"]
DOCUMENT = ["schema", "load", "stopped_early", "elapsed_s", "fill", "all", "kinds", "not_sent",
            "refusals", "lag_us", "check"]


def bench(*arguments: str) -> subprocess.CompletedProcess:
    return run("bench", *arguments)


def bench_json(*arguments: str, exit_code: int = 0) -> dict:
    ended = bench(*arguments, "-o", "json")
    assert ended.returncode == exit_code, (ended.returncode, ended.stdout, ended.stderr)
    return json.loads(ended.stdout)


def start_bench(*arguments: str) -> subprocess.Popen:
    return subprocess.Popen([BINARY, "bench", *arguments], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=die_with_parent)


class OneCluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(5, "--engine", "memory"))
        cls.at = ("--node", f"127.0.0.1:{cls.cluster.nodes[0].http_port}")

    def test_all_members_are_loaded_when_one_node_is_named(self):
        got = bench_json(*self.at, "--fill", "--keys", "500", "-n", "2000")
        self.assertEqual(sorted(got["load"]["nodes"]),
                         sorted(f"127.0.0.1:{node.redis_port}" for node in self.cluster.nodes))
        self.assertEqual(got["fill"]["operations"], 500)
        self.assertEqual(got["kinds"]["get"]["not_found"], 0)
        self.assertEqual(got["all"]["operations"], 2000)
        self.assertEqual(sum(got["all"]["errors"].values()), 0)

    def test_the_document_has_its_fields_in_their_order(self):
        got = bench_json(*self.at, "--rate", "200", "--duration", "1s", "--check", "--fill",
                         "--keys", "20")
        self.assertEqual(list(got), DOCUMENT)
        self.assertEqual(list(got["all"]), KIND)
        self.assertEqual(list(got["kinds"]), ["get", "set"])
        self.assertEqual(list(got["kinds"]["get"]), KIND)
        self.assertEqual(list(got["all"]["latency_us"]), LATENCY)
        self.assertEqual(list(got["lag_us"]), LATENCY)
        self.assertEqual(list(got["all"]["errors"]),
                         ["unknown", "tryagain", "refused", "connection_lost", "no_answer"])
        self.assertEqual(list(got["check"]), ["fresh", "stale", "lost", "undecided"])
        self.assertEqual(got["all"]["operations"], 200)  # as many as the rate says

    def test_percentiles_are_in_order_and_as_long_as_the_run_at_most(self):
        latency = bench_json(*self.at, "-n", "2000", "--mix", "set")["all"]["latency_us"]
        values = [latency[name] for name in ("min", "p50", "p90", "p99", "p999", "max")]
        self.assertEqual(values, sorted(values))
        self.assertGreater(values[0], 0)
        self.assertLess(values[-1], 60e6)

    def test_every_operation_is_understood_by_the_nodes(self):
        got = bench_json(*self.at, "--mix", "get=1,set=1,del=1,st.get=1,st.update=2", "-n", "2000",
                         "--keys", "200", "--value-bytes", "10-2KiB", "-P", "4")
        self.assertEqual(set(got["kinds"]), {"get", "set", "del", "st.get", "st.update"})
        self.assertEqual(got["all"]["operations"], 2000)
        # Each key's updates replaced what they had read, but for those of the same moment.
        got = bench_json(*self.at, "--mix", "st.update", "-n", "500", "--keys", "1", "-c", "1")
        self.assertEqual(got["all"]["operations"], 500)

    def test_blind_puts_pile_up_siblings_until_they_are_refused(self):
        got = bench_json(*self.at, "--mix", "st.put", "-n", "300", "--keys", "1", "-c", "1",
                         "--prefix", "siblings:", "--value-bytes", "8", exit_code=1)
        self.assertGreater(got["all"]["errors"]["refused"], 0)
        self.assertEqual([refusal["prefix"] for refusal in got["refusals"]], ["TOOMANYSIBLINGS"])

    def test_each_key_goes_to_its_own_node_with_cluster(self):
        def forwarded() -> int:
            pages = [node.http("GET", "/metrics")[2].decode() for node in self.cluster.nodes]
            found = [re.search(r"^stator_writes_forwarded_total\S* (\d+)", page, re.M)
                     for page in pages]
            return sum(int(count[1]) for count in found)

        # Five nodes with three replicas: a node that was picked blindly often holds no copy.
        load = (*self.at, "--mix", "set", "--keys", "1000", "-n", "2000")
        before = forwarded()
        self.assertEqual(bench_json(*load, "--cluster")["all"]["operations"], 2000)
        routed = forwarded() - before
        self.assertEqual(bench_json(*load)["all"]["operations"], 2000)
        blind = forwarded() - before - routed
        self.assertEqual(routed, 0)
        self.assertGreater(blind, 100)

    def test_the_table_is_plain_text_when_it_is_not_for_a_terminal(self):
        ended = bench(*self.at, "-n", "500")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(ended.stderr, "")
        self.assertNotIn("\x1b", ended.stdout)
        self.assertNotIn("\r", ended.stdout)
        self.assertRegex(ended.stdout, r"OPERATION +COUNT +PER S +P50 +P90 +P99 +P99\.9 +MAX")
        self.assertRegex(ended.stdout, r"\nall +500 ")

    def test_a_terminal_shows_the_progress_of_each_second(self):
        parent, child = pty.openpty()
        with os.fdopen(parent, "rb", buffering=0) as seen:
            ended = subprocess.run([BINARY, "bench", *self.at, "--duration", "4500ms"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=child,
                                   timeout=PATIENCE_S, preexec_fn=die_with_parent)
            os.close(child)
            self.assertEqual(ended.returncode, 0)
            progress = seen.read(65_536).decode()
        # One a second; a machine that is busy may let one of them be late.
        self.assertGreaterEqual(len(re.findall(r"\r[1-4] s  \d+/s  p50 [\d.]+ .s  p99 ", progress)), 2)
        self.assertTrue(progress.endswith("\r\x1b[K"), progress[-20:])

    def test_ctrl_c_ends_early_with_the_result_so_far(self):
        def stored() -> bool:
            return self.cluster.nodes[0].http("GET", "/v1/kv/default/early:0")[0] == 200

        running = start_bench(*self.at, "--duration", "10m", "--mix", "set", "--keys", "1", "--prefix",
                              "early:", "-o", "json")
        wait_until(stored)  # so it is at work
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=PATIENCE_S)
        self.assertEqual(running.returncode, 0, err)
        got = json.loads(out)
        self.assertTrue(got["stopped_early"])
        self.assertGreater(got["all"]["operations"], 0)
        self.assertLess(got["elapsed_s"], 600)


class ANodeDies(unittest.TestCase):
    def test_what_was_under_way_is_counted_and_acknowledged_writes_are_read(self):
        with Cluster(3, "--engine", "memory") as cluster:
            running = start_bench("--node", f"127.0.0.1:{cluster.nodes[0].http_port}", "--check",
                                  "--mix", "get=1,set=1", "--keys", "500", "--fill", "--duration",
                                  "10m", "--timeout", "30s", "-c", "20", "-P", "4", "-o", "json")

            def writes(node: int) -> int:
                page = cluster.nodes[node].http("GET", "/metrics")[2].decode()
                return int(re.search(r"^stator_replica_writes_total (\d+)", page, re.M)[1])

            filled = "/v1/kv/default/bench:499"
            wait_until(lambda: cluster.nodes[0].http("GET", filled)[0] == 200)
            wait_until(lambda: writes(2) > 700)  # so it serves what follows the fill
            cluster.nodes[2].kill()
            seen = writes(0)
            wait_until(lambda: writes(0) > seen + 1000)
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=PATIENCE_S)
            got = json.loads(out)
            self.assertGreater(got["all"]["errors"]["connection_lost"], 0)
            self.assertEqual((got["check"]["stale"], got["check"]["lost"]), (0, 0))
            self.assertGreater(got["check"]["fresh"], 100)
            self.assertEqual(running.returncode, 1)
            self.assertIn("operations failed", err)
            self.assertIn("--allow-errors", err)


class AnotherServer(unittest.TestCase):
    """What the generator says of a server that is none of ours."""

    @classmethod
    def setUpClass(cls):
        cls.port = claim_any(1)[0]
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        server = subprocess.Popen(
            ["redis-server", "--port", str(cls.port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", folder],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=die_with_parent)
        cls.addClassCleanup(lambda: (server.kill(), server.wait()))
        cls.at = ("--redis", f"127.0.0.1:{cls.port}")

        def answers() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", cls.port)) == 0
        wait_until(answers)

    def redis(self, *command: str) -> str:
        return subprocess.run(["redis-cli", "-p", str(self.port), *command], capture_output=True,
                              text=True, timeout=PATIENCE_S, check=True).stdout.strip()

    def gets(self) -> int:
        found = re.search(r"cmdstat_get:calls=(\d+)", self.redis("info", "commandstats"))
        return int(found[1]) if found else 0

    def await_gets(self, running: subprocess.Popen, more: int) -> None:
        seen = self.gets()
        wait_until(lambda: self.gets() > seen + more or running.poll() is not None)

    def test_it_writes_and_reads_what_it_says(self):
        self.redis("flushall")
        self.redis("config", "resetstat")
        got = bench_json(*self.at, "--fill", "--keys", "300", "-n", "1000", "--mix", "get=1,set=3",
                         "--value-bytes", "100", "--prefix", "here:", "-P", "8")
        self.assertEqual(self.redis("dbsize"), "300")
        self.assertEqual(self.redis("strlen", "here:299"), "100")
        stats = self.redis("info", "commandstats")
        calls = {name: int(count)
                 for name, count in re.findall(r"cmdstat_(\w+):calls=(\d+)", stats)}
        self.assertEqual(calls["get"], got["kinds"]["get"]["operations"])
        self.assertEqual(calls["set"], got["kinds"]["set"]["operations"] + 300)
        self.assertEqual(got["all"]["operations"], 1000)

    def test_a_pause_of_the_server_is_felt_by_all_that_was_due_in_it(self):
        self.redis("config", "resetstat")
        running = start_bench(*self.at, "--rate", "200", "--duration", "10s", "-c", "2", "-o", "json")
        wait_until(lambda: "cmdstat_set" in self.redis("info", "commandstats"))
        self.redis("client", "pause", "3000")
        out, err = running.communicate(timeout=PATIENCE_S)
        self.assertEqual(running.returncode, 0, err)
        got = json.loads(out)
        # 600 of 2000 were due in the pause, and two of them were under way. Those of its first half
        # waited for more than 1.5 s: a tenth of all, and not two alone.
        self.assertGreater(got["all"]["latency_us"]["max"], 2_500_000)
        self.assertGreater(got["all"]["latency_us"]["p90"], 1_500_000)

    def test_without_slots_there_is_no_cluster(self):
        ended = bench(*self.at, "--cluster")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("cluster support disabled", ended.stderr)
        self.assertIn("next: ", ended.stderr)

    def test_operations_that_it_does_not_know_are_refused_and_shown(self):
        ended = bench(*self.at, "--mix", "st.get", "-n", "10")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("10 like: ERR unknown command 'ST.GET'", ended.stdout)
        self.assertIn("not one operation ended well", ended.stderr)

    def test_errors_may_be_allowed(self):
        arguments = (*self.at, "--mix", "get=1,st.get=1", "-n", "100")
        self.assertEqual(bench(*arguments).returncode, 1)
        self.assertEqual(bench(*arguments, "--allow-errors").returncode, 0)

    def test_a_server_that_loses_writes_fails_the_check(self):
        running = start_bench(*self.at, "--check", "--mix", "get=1,set=1", "--keys", "100", "--fill",
                              "--duration", "10m", "--prefix", "lost:", "--allow-errors")
        wait_until(lambda: self.redis("exists", "lost:99") == "1")
        self.await_gets(running, 1000)
        self.redis("flushall")
        self.await_gets(running, 1000)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=PATIENCE_S)
        self.assertEqual(running.returncode, 1)
        self.assertRegex(out, r"reads judged: \d+ fresh, 0 stale, [1-9]\d* lost")
        self.assertIn("found nothing where a write had been acknowledged", err)


class CommandLine(unittest.TestCase):
    def test_no_node_is_exit_code_3(self):
        port = claim_any(1)[0]
        for arguments in (("--redis", f"127.0.0.1:{port}"), ("--node", f"127.0.0.1:{port}"),
                          ("--redis", f"127.0.0.1:{port}", "--cluster")):
            ended = bench(*arguments)
            self.assertEqual(ended.returncode, 3, ended.stderr)
            self.assertIn(f"127.0.0.1:{port}", ended.stderr)
            self.assertIn("next: ", ended.stderr)

    def test_a_wrong_line_is_exit_code_2_and_names_the_option(self):
        for arguments, said in ((("--mix", "fly"), "--mix: 'fly'"),
                                (("--duration", "1"), "--duration: '1'"),
                                (("--connections", "0"), "--connections: 0"),
                                (("--redis", "nowhere"), "--redis: "),
                                (("--check", "--mix", "del"), "--check judges"),
                                (("--pipelin", "2"), "did you mean '--pipeline'")):
            ended = bench(*arguments)
            self.assertEqual(ended.returncode, 2, ended.stderr)
            self.assertIn(said, ended.stderr)
            self.assertEqual(ended.stdout, "")

    def test_help_teaches_with_examples(self):
        ended = run("bench", "--help")
        self.assertEqual(ended.returncode, 0)
        self.assertIn("open loop", ended.stdout)
        examples = re.findall(r"^  (stator bench [^#]*)", ended.stdout, re.M)
        self.assertGreaterEqual(len(examples), 5)
        # Each is a right command line: what is missing is the cluster.
        port = claim_any(1)[0]
        for example in examples:
            words = [word for word in example.split()[1:]]
            if "--redis" in words:
                words[words.index("--redis") + 1] = f"127.0.0.1:{port}"
            else:
                words += ["--node", f"127.0.0.1:{port}"]
            self.assertEqual(run(*words).returncode, 3, example)


if __name__ == "__main__":
    unittest.main()
