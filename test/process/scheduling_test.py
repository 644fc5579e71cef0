"""How a node asks to be scheduled where all cores are busy: every thread of it, and only if it shall."""

import os
import unittest
from pathlib import Path

from nodes import Cluster, stat_fields

POLICY_FIELD = 41  # of /proc/PID/task/TID/stat, from 1
FIRST_FIELD = 3  # of stat_fields


def policies(pid: int) -> set[int]:
    return {int(stat_fields(thread)[POLICY_FIELD - FIRST_FIELD])
            for thread in Path(f"/proc/{pid}/task").iterdir()}


class Scheduling(unittest.TestCase):
    def test_all_threads_of_a_node_are_scheduled_as_a_batch(self):
        with Cluster(1, shards=2) as cluster:
            self.assertEqual(policies(cluster.nodes[0].pid), {os.SCHED_BATCH})

    def test_normal_leaves_a_node_as_it_was_started(self):
        with Cluster(1, "--scheduling", "normal", shards=2) as cluster:
            self.assertEqual(policies(cluster.nodes[0].pid), {os.sched_getscheduler(0)})


if __name__ == "__main__":
    unittest.main()
