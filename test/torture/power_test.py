"""Loss of power, with files: what was not synced is lost, in part or altogether, on one node or on all at
once, and nothing that was acknowledged with it (G14). And a sync that fails, which is never taken for one
that did not, whether the node loses its power then or is just started again (D31)."""

import random
import signal
import threading
import time
import unittest

from torture import AS_SHIPPED, FULL, SEED, Nodes, Torture, TortureTest, await_writes, metric, report, wait_until

CYCLES = 50 if FULL else 4


def at_once(actions) -> None:
    threads = [threading.Thread(target=action) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Power(TortureTest):
    maxDiff = None

    def test_what_was_acknowledged_survives(self):
        self.survives("rocksdb")

    def survives(self, engine: str) -> None:
        chance = random.Random(SEED)
        with Nodes(3, "--engine", engine, *AS_SHIPPED, faulty=True) as cluster:
            with Torture(cluster.nodes, rate=2_500, keys=1_000, sessions=60) as torture:
                torture.begin()
                time.sleep(1)
                for cycle in range(CYCLES):
                    victims = cluster.nodes if cycle % 2 == 0 else [chance.choice(cluster.nodes)]
                    at_once([lambda node=node, seed=chance.getrandbits(32): node.lose_power(seed)
                             for node in victims])
                    for node in victims:
                        node.launch()
                    for node in victims:
                        node.await_said()
                    time.sleep(0.5 + chance.random())
                cluster.await_all_healthy()
                verdict = torture.judge()
                report("power_" + engine, {"cycles": CYCLES, **verdict,
                                           "problems": len(verdict["problems"])})
                self.assertEqual(verdict["problems"], [])
                self.assertGreater(verdict["acknowledged"], 200 * CYCLES)

    def test_one_durable_copy_is_enough_once_it_is_there(self):
        """Durability `one` (paper 6.1, V23): all nodes lose their power, and one has each write."""
        writes = 2_000 if FULL else 300
        with Nodes(3, "--durability", "one", faulty=True) as cluster:
            for k in range(writes):
                status, _, _ = cluster.nodes[k % 3].http("PUT", f"/v1/kv/b/k{k}", b"v%d" % k)
                self.assertEqual(status, 204)
            # A write that two nodes were asked for has two durable copies, so that these tell nothing.
            await_writes(cluster.nodes, writes)
            for node in cluster.nodes:
                self.assertEqual(metric(node, "stator_durable_unconfirmed_total"), 0)
            at_once([lambda node=node, seed=SEED + i: node.lose_power(seed)
                     for i, node in enumerate(cluster.nodes)])
            cluster.start()
            cluster.await_all_healthy()
            for k in range(writes):
                status, _, body = cluster.nodes[k % 3].http("GET", f"/v1/kv/b/k{k}?r=3")
                self.assertEqual((status, body), (200, b"v%d" % k))

    def test_the_library_loses_what_was_not_synced(self):
        """Else the test above could not fail: a node that promises nothing loses something."""
        chance = random.Random(SEED)
        with Nodes(3, "--durability", "none", *AS_SHIPPED, faulty=True) as cluster:
            with Torture(cluster.nodes, rate=2_500, keys=200, sessions=60) as torture:
                torture.begin()
                for _ in range(3):
                    time.sleep(1)
                    at_once([lambda node=node, seed=chance.getrandbits(32): node.lose_power(seed)
                             for node in cluster.nodes])
                    cluster.start()
                verdict = torture.judge()
                broken = {problem.split(":")[0] for problem in verdict["problems"]}
                # Lost, or back in an older state: reads or what stands there in the end show it.
                self.assertTrue(broken & {"I1", "I3", "I12"}, verdict["problems"])

    def test_a_failed_sync_acknowledges_nothing(self):
        with Nodes(3, *AS_SHIPPED, faulty=True) as cluster:
            sick = cluster.nodes[1]
            with Torture(cluster.nodes, rate=1_500, keys=500, sessions=40) as torture:
                torture.begin()
                time.sleep(1)
                for turn in range(10 if FULL else 2):
                    sick.fault("eio 1")
                    # It takes no writes until it starts again, however the next syncs end.
                    wait_until(lambda: not sick.running() or
                               sick.json("/v1/status")["node"]["disk"] == "failed")
                    time.sleep(0.5)
                    # Whatever the page cache shows, nobody knows what the disk has: what a loss of power leaves,
                    # or all of it, as who stops in order and starts again finds.
                    if sick.running():
                        if turn % 2 == 0:
                            sick.lose_power(SEED + turn)
                        else:
                            sick.signal(signal.SIGTERM)
                            sick.wait()
                    sick.start()
                    cluster.await_all_healthy()
                    self.assertNotEqual(sick.json("/v1/status")["node"]["disk"], "failed")
                    time.sleep(1)
                verdict = torture.judge()
                report("failed_sync", {**verdict, "problems": len(verdict["problems"])})
                self.assertEqual(verdict["problems"], [])

    def test_a_sync_that_works_after_one_that_failed_is_not_believed(self):
        """D31: what the failed one should have brought to the disk is not there, and nobody else has a copy."""
        with Nodes(1, *AS_SHIPPED, faulty=True) as cluster:
            node, = cluster.nodes
            with Torture(cluster.nodes, rate=800, keys=300, sessions=20, r=1, w=1) as torture:
                torture.begin()
                for _ in range(10 if FULL else 3):
                    time.sleep(1)
                    node.fault("eio 1")
                    wait_until(lambda: not node.running() or node.json("/v1/status")["node"]["disk"] == "failed")
                    time.sleep(0.5)  # in which clients go on to ask
                    if node.running():
                        node.lose_power(SEED)
                    node.start()
                    cluster.await_all_healthy()
                time.sleep(1)
                verdict = torture.judge()
                report("failed_sync_alone", {**verdict, "problems": len(verdict["problems"])})
                self.assertEqual(verdict["problems"], [])
                self.assertGreater(verdict["acknowledged"], 100)


if __name__ == "__main__":
    unittest.main()
