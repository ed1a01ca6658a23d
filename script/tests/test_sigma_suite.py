"""The counting of script/suites sigma."""

import json
import unittest

from lib import sigma_suite as suite


def line(number, rule="a"):
    return json.dumps({"line": number, "rule": {"id": rule}})


def case(at_least=1):
    return {"rule": "r.yml", "rule_id": "a", "at_least": at_least, "events": 2}


class Refusals(unittest.TestCase):
    def test_reasons_are_counted_without_what_they_quote(self):
        output = "x/a.yml:7: placeholder '%A%' has no values\nx/b.yml: placeholder '%B%' has no values\nsomething else\n"
        self.assertEqual(suite.count_refusals(output), {"placeholder '…' has no values": ["x/a.yml", "x/b.yml"]})


class Judging(unittest.TestCase):
    def test_an_event_counts_once(self):
        self.assertEqual(suite.judge(case(), [line(1), line(1), line(2)]).matches, 2)

    def test_matches_of_other_rules_do_not_count(self):
        self.assertFalse(suite.judge(case(), [line(1, "b")]).passed)

    def test_too_few_matches_fail(self):
        self.assertFalse(suite.judge(case(2), [line(1)]).passed)
        self.assertTrue(suite.judge(case(2), [line(1), line(2)]).passed)

    def test_hits_beyond_the_expected_ones_are_not_counted(self):
        tests = [{"expected": 1, "matches": 3, "passed": True}, {"expected": 2, "matches": 1, "passed": False}]
        sums = suite.totals({"tests": tests, "rule_files": 5, "refused": {"x": ["a"]}})
        self.assertEqual((sums["hits"], sums["expected"], sums["passed"], sums["loaded"]), (2, 3, 1, 4))


if __name__ == "__main__":
    unittest.main()
