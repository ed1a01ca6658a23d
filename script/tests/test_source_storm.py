"""What a steady stream is judged by."""

import unittest

from lib import source_storm


def stream(seconds, latencies, p99, end=100):
    return {"seconds": seconds, "read": 5, "written": 5, "latencies": latencies, "p99": p99, "rss_middle_kib": 100, "rss_end_kib": end}


class Judged(unittest.TestCase):
    def test_a_server_that_is_late_has_few_probes_and_fails(self):
        self.assertIn("p99", " ".join(source_storm.judge_sustained(stream(600, [30.0] * 20, 30.0))))

    def test_a_server_that_grows_fails(self):
        self.assertIn("memory", " ".join(source_storm.judge_sustained(stream(600, [0.1] * 600, 0.1, end=10_000))))

    def test_a_short_stream_is_judged_by_its_lines(self):
        self.assertEqual(list(source_storm.judge_sustained(stream(10, [2.0] * 9, 2.0))), [])
        self.assertIn("lines read", " ".join(source_storm.judge_sustained(stream(10, [], None) | {"read": 4})))


if __name__ == "__main__":
    unittest.main()
