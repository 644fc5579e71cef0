#!/usr/bin/env python3
"""Ports are given once, to whichever process asks."""

import socket
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from claimed_ports import claim, claim_any  # noqa: E402


def claimed_elsewhere(port: int) -> bool:
    return subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(HERE)!r}); "
                           f"from claimed_ports import claim; sys.exit(0 if claim({port}) else 9)"],
                          check=False).returncode == 0


class ClaimedPorts(unittest.TestCase):
    def test_they_are_different_and_below_those_of_outgoing_connections(self) -> None:
        ports = claim_any(50)
        self.assertEqual(len(set(ports)), 50)
        self.assertLess(max(ports), 32_768)

    def test_none_is_given_twice_though_nobody_listens_on_it(self) -> None:
        port, = claim_any(1)
        self.assertFalse(claim(port))
        self.assertFalse(claimed_elsewhere(port))

    def test_that_of_a_process_that_ended_may_be_had(self) -> None:
        port = next(port for port in range(12_000, 31_999) if claimed_elsewhere(port))
        self.assertTrue(claimed_elsewhere(port))

    def test_one_that_a_stranger_listens_on_is_not_free(self) -> None:
        with socket.socket() as stranger:
            stranger.bind(("127.0.0.1", 0))
            stranger.listen()
            self.assertFalse(claim(stranger.getsockname()[1]))


if __name__ == "__main__":
    unittest.main()
