"""What the tests of grouping print, read by script/lib/grouping.py."""

import unittest

from lib import grouping


class NoiseTests(unittest.TestCase):
    LINE = ("noise  seed 1  lines {lines}  days 3  findings {findings}  incidents {incidents}  P0 0  P1 1  P2 0  P3 {low}  paging 1  "
            "as shipped")

    def test_shares_are_those_of_a_day_and_of_an_incident(self):
        row, = grouping.noise(self.LINE.format(lines=50_000, findings=3_000, incidents=300, low=299))
        self.assertEqual((row["incidents_a_day"], row["paging_a_day"], row["findings_per_incident"]), (100.0, 0.33, 10.0))
        self.assertEqual(row["how"], "as shipped")

    def test_days_without_an_incident_have_no_findings_per_incident(self):
        row, = grouping.noise(self.LINE.format(lines=50_000, findings=0, incidents=0, low=0))
        self.assertIsNone(row["findings_per_incident"])
        self.assertEqual(row["incidents_a_day"], 0)


if __name__ == "__main__":
    unittest.main()
