"""The counting of script/suites, rule by rule as the suites' README words it."""

import json
import os
import pathlib
import tempfile
import unittest

from lib import detection_suites as suites
from lib import suite_report as report


def case(**more):
    base = {"suite": "crowdsec", "case": "one", "format": "combined", "label": "attack", "lines": ["x"],
            "reference_time": None, "expect": [], "forbid": []}
    return {**base, **more}


def finding(ip, category, dotted=False):
    return {"source.ip": ip, "category": category} if dotted else {"source": {"ip": ip}, "category": category}


EXPECT = [{"ip": "192.0.2.1", "category": "exploit", "or": ["scan"]}]


class CountingACase(unittest.TestCase):
    def test_an_expected_pair_is_found_once_however_often_it_is_said(self):
        verdict = suites.judge_case(case(expect=EXPECT), [finding("192.0.2.1", "exploit")] * 3)
        self.assertEqual(verdict.found, [("192.0.2.1", "exploit")])
        self.assertTrue(verdict.passed)

    def test_a_category_named_by_or_does_as_well_and_is_no_other_kind(self):
        verdict = suites.judge_case(case(expect=EXPECT), [finding("192.0.2.1", "scan"), finding("192.0.2.1", "exploit")])
        self.assertEqual((len(verdict.found), verdict.other_kind), (1, []))

    def test_a_dotted_address_counts_like_a_nested_one(self):
        self.assertTrue(suites.judge_case(case(expect=EXPECT), [finding("192.0.2.1", "exploit", dotted=True)]).passed)

    def test_nothing_found_is_missed(self):
        verdict = suites.judge_case(case(expect=EXPECT), [])
        self.assertEqual(verdict.missed, [("192.0.2.1", "exploit")])
        self.assertFalse(verdict.passed)

    def test_a_category_that_the_case_does_not_name_is_another_kind_and_the_case_passes(self):
        verdict = suites.judge_case(case(expect=EXPECT), [finding("192.0.2.1", "exploit"), finding("192.0.2.1", "dos")])
        self.assertEqual(verdict.other_kind, [("192.0.2.1", "dos")])
        self.assertTrue(verdict.passed)

    def test_two_expectations_on_one_address_are_counted_apart(self):
        expect = [{"ip": "192.0.2.1", "category": "brute_force"}, {"ip": "192.0.2.1", "category": "enumeration"}]
        verdict = suites.judge_case(case(expect=expect), [finding("192.0.2.1", "enumeration")])
        self.assertEqual((len(verdict.found), len(verdict.missed), verdict.other_kind), (1, 1, []))

    def test_an_address_that_the_case_expects_nothing_of_is_a_false_alarm(self):
        verdict = suites.judge_case(case(expect=EXPECT), [finding("192.0.2.1", "exploit"), finding("192.0.2.9", "scan")])
        self.assertEqual(verdict.false_alarms, [("192.0.2.9", "scan")])
        self.assertFalse(verdict.passed)

    def test_a_forbidden_pair_is_a_false_alarm_even_on_an_expected_address(self):
        forbid = [{"ip": "192.0.2.1", "category": "dos"}]
        verdict = suites.judge_case(case(expect=EXPECT, forbid=forbid), [finding("192.0.2.1", "dos")])
        self.assertEqual(len(verdict.false_alarms), 1)

    def test_accepted_pairs_never_count(self):
        accept = [{"ip": "192.0.2.2", "category": "*"}, {"ip": "192.0.2.3", "category": "scan"}]
        found = [finding("192.0.2.2", "dos"), finding("192.0.2.3", "scan"), finding("192.0.2.3", "dos")]
        verdict = suites.judge_case(case(accept=accept), found)
        self.assertEqual(verdict.false_alarms, [("192.0.2.3", "dos")])

    def test_suspicious_addresses_are_unjudged_even_where_everything_is_forbidden(self):
        found = [finding("192.0.2.4", "scan"), finding("192.0.2.5", "scan")]
        verdict = suites.judge_case(case(forbid_all=True, suspicious_ips=["192.0.2.4"]), found)
        self.assertEqual((verdict.unjudged, verdict.false_alarms), ([("192.0.2.4", "scan")], [("192.0.2.5", "scan")]))

    def test_a_finding_without_an_address_counts_only_where_everything_is_forbidden(self):
        self.assertEqual(len(suites.judge_case(case(), [{"category": "scan"}]).without_address), 1)
        self.assertEqual(len(suites.judge_case(case(forbid_all=True), [{"category": "scan"}]).false_alarms), 1)


class CountingLines(unittest.TestCase):
    CASE = case(suite="fail2ban", label="lines", line_expect=[
        {"line_index": 0, "match": True, "host": "192.0.2.1"},
        {"line_index": 1, "match": True, "host": "192.0.2.2"},
        {"line_index": 2, "match": False, "implicit": True},
        {"line_index": 3, "match": True, "host": "192.0.2.3", "unjudged": True},
    ])

    def test_lines_are_numbered_from_one(self):
        verdict = suites.judge_lines(self.CASE, [{"line": 1, "source": {"ip": "192.0.2.1"}}])
        self.assertEqual((verdict.found, verdict.missed, verdict.addresses_exact), ([1], [2], 1))

    def test_a_line_that_must_stay_silent_is_a_false_alarm(self):
        self.assertEqual(suites.judge_lines(self.CASE, [{"line": 3}]).false_alarms, [3])

    def test_a_wrong_address_is_found_but_not_exact(self):
        verdict = suites.judge_lines(self.CASE, [{"line": 2, "source": {"ip": "192.0.2.77"}}])
        self.assertEqual((verdict.found, verdict.addresses_exact), ([2], 0))

    def test_unjudged_lines_bind_nobody(self):
        verdict = suites.judge_lines(self.CASE, [{"line": 4, "source": {"ip": "192.0.2.3"}}])
        self.assertEqual((verdict.unjudged, verdict.false_alarms, verdict.found), ([4], [], []))


class Shares(unittest.TestCase):
    def test_strict_precision_counts_other_kinds(self):
        totals = suites.Totals(found=8, missed=2, false_alarms=1, other_kind=1)
        self.assertEqual((totals.recall, totals.precision, totals.strict_precision), ((8, 10), (8, 9), (8, 10)))

    def test_disputed_cases_count_nowhere(self):
        disputed = suites.judge_case(case(label="disputed", suspicious_ips=["192.0.2.1"]), [finding("192.0.2.1", "scan")])
        self.assertEqual(suites.total([disputed]), suites.Totals())

    def test_a_share_of_nothing_is_a_dash(self):
        self.assertEqual(report.share((0, 0)), "–")


# Stands in for the program: its findings are in the log's own lines, `ADDRESS - CATEGORY`; `exit N` ends it so.
FAKE = """#!/usr/bin/env python3
import json, sys
arguments = sys.argv[1:]
for number, line in enumerate(open(arguments[-1]), 1):
    words = line.split()
    if words[0] == "exit":
        print("broken on purpose", file=sys.stderr)
        sys.exit(int(words[1]))
    if words[2] != "nothing":
        print(json.dumps({"line": number, "source": {"ip": words[0]}, "category": words[2], "arguments": arguments}))
"""


class Running(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        program = pathlib.Path(self.folder.name) / "vigie"
        program.write_text(FAKE)
        program.chmod(0o755)
        self.runner = suites.Runner(program, jobs=2)

    def test_formats_are_passed_as_the_readme_says(self):
        self.assertEqual([suites.format_argument(name) for name in ("other:odoo", "sshd_syslog", "nginx_error")],
                         ["auto", "sshd", "nginx_error"])

    def test_lines_mode_and_reference_time_reach_the_program(self):
        findings, status, _ = self.runner.detect(["192.0.2.1 - scan"], "other:x", "2026-01-01T00:00:00Z", True)
        self.assertEqual(status, 0)
        self.assertEqual(findings[0]["arguments"][:-1],
                         ["detect", "--format", "auto", "--lines", "--reference-time", "2026-01-01T00:00:00Z"])

    def test_exit_status_one_still_counts_and_two_counts_as_nothing_found(self):
        one = self.runner.run([case(expect=EXPECT, lines=["192.0.2.1 - exploit", "exit 1"])])[0]
        two = self.runner.run([case(expect=EXPECT, lines=["192.0.2.1 - exploit", "exit 2"])])[0]
        self.assertEqual((len(one.found), one.exit_status), (1, 1))
        self.assertEqual((len(two.found), two.exit_status, two.error), (0, 2, "broken on purpose"))

    def test_batched_cases_share_a_run_and_keep_their_findings_apart(self):
        cases = [
            case(suite="crs", case="a", batch=True, expect=EXPECT, lines=["192.0.2.1 - exploit"]),
            case(suite="crs", case="b", batch=True, label="benign", lines=["192.0.2.2 - exploit"]),
            case(suite="crs", case="c", batch=True, label="benign", lines=["192.0.2.3 - nothing"]),
        ]
        self.assertEqual([verdict.passed for verdict in self.runner.run(cases)], [True, False, True])

    def test_results_keep_the_order_of_the_cases(self):
        cases = [case(case=str(number), lines=["192.0.2.1 - nothing"] * (9 - number)) for number in range(9)]
        self.assertEqual([verdict.case for verdict in self.runner.run(cases)], [str(number) for number in range(9)])


@unittest.skipUnless(os.environ.get("VIGIE_SUITES"), "VIGIE_SUITES is not set")
class PublishedCounts(unittest.TestCase):
    """What we count in the suites agrees with the counts published beside them."""

    def test_expected_findings(self):
        folder = pathlib.Path(os.environ["VIGIE_SUITES"]) / "detection"
        published = json.loads((folder / "counts.json").read_text())["suites"]
        for suite, facts in published.items():
            cases = suites.load(folder, suite)
            judge = suites.judge_lines if suite == "fail2ban" else suites.judge_case
            missed = sum(len(judge(one, []).missed) for one in cases)
            expected = facts["line verdicts"]["must match"] if suite == "fail2ban" else sum(facts["expected findings"].values())
            self.assertEqual((suite, len(cases), missed), (suite, facts["cases"], expected))


if __name__ == "__main__":
    unittest.main()
