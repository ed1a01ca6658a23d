"""The counting of incidents in script/suites: one for each attacker, and whose the others are."""

import json
import os
import pathlib
import shutil
import tempfile
import unittest

from lib import detection_suites, suite_incidents as counted
from lib import suite_report as report


def case(**more):
    return {"suite": "scanners", "case": "one", "format": "combined", "label": "attack", "lines": ["x"], "reference_time": None,
            "expect": [{"ip": "192.0.2.1", "category": "scan"}], **more}


def incident(number, *entities):
    return {"id": f"SEC-2026-{number:04}", "title": "Scanned", "severity": "P3", "categories": ["scan"], "findings": 2, "events": 20,
            "entities": [{"type": kind, "value": value} for kind, value in entities]}


def ip(address):
    return "ip", address


class CountingIncidents(unittest.TestCase):
    def test_an_attacker_with_one_incident_of_its_own(self):
        result = counted.judge(case(), [incident(1, ip("192.0.2.1"), ("user", "root"))])
        self.assertEqual((result.of, result.one_each, result.shared), ({"192.0.2.1": 1}, ["192.0.2.1"], []))
        self.assertEqual(result.opened[0]["about"], "attacker")

    def test_an_attacker_with_two_incidents_is_not_one_each(self):
        result = counted.judge(case(), [incident(1, ip("192.0.2.1")), incident(2, ip("192.0.2.1"))])
        sums = counted.total([result])
        self.assertEqual((result.one_each, sums.several, sums.none), ([], 1, 0))

    def test_an_attacker_without_incident(self):
        sums = counted.total([counted.judge(case(), [])])
        self.assertEqual((sums.one_each, sums.none, sums.several, sums.attackers), (0, 1, 0, 1))

    def test_two_attackers_in_one_incident_have_none_of_their_own(self):
        expect = [{"ip": "192.0.2.1", "category": "scan"}, {"ip": "192.0.2.2", "category": "scan"}]
        sums = counted.total([counted.judge(case(expect=expect), [incident(1, ip("192.0.2.1"), ip("192.0.2.2"))])])
        self.assertEqual((sums.one_each, sums.shared, sums.several, sums.none, sums.incidents), (0, 2, 0, 0, 1))

    def test_an_attacker_that_is_expected_twice_is_one(self):
        expect = [{"ip": "192.0.2.1", "category": "scan"}, {"ip": "192.0.2.1", "category": "exploit"}]
        self.assertEqual(counted.total([counted.judge(case(expect=expect), [incident(1, ip("192.0.2.1"))])]).attackers, 1)

    def test_what_other_incidents_are_about(self):
        result = counted.judge(case(suspicious_ips=["192.0.2.7"], accept=[{"ip": "192.0.2.8", "category": "*"}]), [
            incident(1, ip("192.0.2.7")), incident(2, ip("192.0.2.8")), incident(3, ip("192.0.2.9")), incident(4, ("user", "root")),
            incident(5)])
        self.assertEqual([one["about"] for one in result.opened], ["unjudged", "unjudged", "benign", "nobody", "nobody"])
        sums = counted.total([result])
        self.assertEqual((sums.unjudged, sums.benign, sums.nobody, sums.incidents, sums.findings), (2, 1, 2, 5, 10))

    def test_a_benign_address_beside_an_attacker_is_told(self):
        result = counted.judge(case(suspicious_ips=["192.0.2.7"]), [incident(1, ip("192.0.2.1"), ip("192.0.2.7"), ip("192.0.2.9"))])
        self.assertEqual((result.opened[0]["about"], result.opened[0]["benign"]), ("attacker", ["192.0.2.9"]))
        self.assertEqual((counted.total([result]).benign, result.one_each), (1, ["192.0.2.1"]))

    def test_an_attacker_with_an_ipv6_address_is_named_by_its_network(self):
        expect = [{"ip": "2001:db8::5", "category": "scan"}]
        result = counted.judge(case(expect=expect), [incident(1, ip("2001:db8::/64")), incident(2, ip("2001:db8:0:1::/64"))])
        self.assertEqual((result.of, [one["about"] for one in result.opened]), ({"2001:db8::5": 1}, ["attacker", "benign"]))

    def test_erased_addresses_are_nobodys(self):
        self.assertEqual(counted.judge(case(), [incident(1, ip(None))]).opened[0]["about"], "nobody")

    def test_words_for_it(self):
        good = counted.judge(case(), [incident(1, ip("192.0.2.1"))])
        bad = counted.judge(case(case="two"), [incident(1, ip("192.0.2.1")), incident(2, ip("192.0.2.1")), incident(3, ip("192.0.2.9"))])
        line = report.incidents_headline("scanners", [good, bad])
        self.assertIn("one each for 1 of 2 attackers, 50.0 % ", line)
        self.assertIn("0 have none, 1 several, 0 one with another attacker; of 4 incidents 0 are about unjudged addresses, 0 about none, "
                      "1 name a benign one", line)
        table = "\n".join(report.incidents_section([good, bad, counted.judge(case(case="three", expect=[]), [])]))
        self.assertIn("| two | 0 of 1 | 0 | 1 | 0 | 3 | 0 | 0 | 1 | 6 |", table)
        self.assertIn("1 further cases have no attacker, and no incident.", table)
        told = report.incident_failures({"scanners": [good, bad]})
        self.assertNotIn("scanners/one", told)
        self.assertIn("192.0.2.1: 2 incidents", told)
        self.assertIn("SEC-2026-0003 P3 Scanned: 192.0.2.9", told)


# Stands in for the program: opens an incident for each line's first word; what its clock said is the title. `exit N` ends it at once,
# `status N` when it is stopped.
FAKE = """#!/usr/bin/env python3
import json, pathlib, signal, sys, time
arguments = sys.argv[1:]
if arguments[0] == "serve":
    settings = json.loads(pathlib.Path(arguments[2]).read_text())
    source, data = settings["sources"][0], pathlib.Path(settings["data"])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(status))
    status, incidents = 0, []
    for number, line in enumerate(open(source["path"]), 1):
        words = line.split()
        if words[0] == "exit":
            sys.exit("broken on purpose" if words[1] == "1" else int(words[1]))
        elif words[0] == "status":
            status = int(words[1])
        else:
            incidents.append({"id": f"SEC-2026-{number:04}", "title": time.strftime("%Y-%m-%d %H:%M", time.gmtime()), "severity": "P3",
                              "categories": [source["format"]], "findings": 1, "events": 1,
                              "entities": [{"type": "ip", "value": words[0]}]})
    (data / "detection").mkdir(parents=True)
    (data / "incidents").write_text("".join(json.dumps(one) + "\\n" for one in incidents))
    position = {"path": source["path"], "offset": pathlib.Path(source["path"]).stat().st_size}
    (data / "detection/snapshot.json").write_text(json.dumps({"states": [{"positions": [position]}]}) + "\\n")
    while True:
        signal.pause()
sys.stdout.write(pathlib.Path(arguments[-1], "incidents").read_text())
"""


class Running(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        program = pathlib.Path(folder.name) / "vigie"
        program.write_text(FAKE)
        program.chmod(0o755)
        self.runner = counted.Runner(program, folder.name, ["rules"], jobs=2)

    def test_a_server_reads_each_case_and_its_incidents_are_counted(self):
        first, second = self.runner.run([
            case(lines=["192.0.2.1", "192.0.2.9"]), case(case="two", format="other:odoo", lines=["192.0.2.1", "192.0.2.1"])])
        self.assertEqual((first.of, len(first.opened), first.error), ({"192.0.2.1": 1}, 2, None))
        self.assertEqual((second.of, second.opened[0]["categories"]), ({"192.0.2.1": 2}, ["auto"]))

    def test_a_server_that_ends_by_itself_has_found_nothing_and_says_why(self):
        result = self.runner.run([case(lines=["192.0.2.1", "exit 1"])])[0]
        self.assertEqual((result.of, result.opened), ({"192.0.2.1": 0}, []))
        self.assertIn("broken on purpose", result.error)
        self.assertEqual(counted.total([result]).not_counted, 1)
        self.assertIn("1 of 1 cases not counted", report.incidents_headline("scanners", [result]))

    def test_a_server_that_fails_when_it_is_stopped_does_not_count(self):
        result = self.runner.run([case(lines=["192.0.2.1", "status 3"])])[0]
        self.assertIn("status 3 on SIGTERM", result.error)

    @unittest.skipUnless(any(map(shutil.which, ("clang", "cc", "gcc"))), "no C compiler is on PATH")
    def test_the_server_s_clock_stands_where_a_log_without_years_ends(self):
        result = self.runner.run([case(lines=["192.0.2.1"], reference_time="2017-12-10T12:04:10Z")])[0]
        self.assertEqual((result.error, result.opened[0]["title"]), (None, "2017-12-10 12:04"))


@unittest.skipUnless(os.environ.get("VIGIE_SUITES"), "VIGIE_SUITES is not set")
class PublishedCounts(unittest.TestCase):
    """Each attacker that the suite's counts know of is looked for."""

    def test_attackers(self):
        folder = pathlib.Path(os.environ["VIGIE_SUITES"]) / "detection"
        published = json.loads((folder / "counts.json").read_text())["suites"]
        for suite in counted.SUITES:
            cases = detection_suites.load(folder, suite)
            sums = counted.total([counted.judge(one, []) for one in cases])
            # Of one attacker several findings may be expected.
            self.assertTrue(0 < sums.attackers <= sum(published[suite]["expected findings"].values()))
            self.assertEqual(sums.none, sums.attackers)


if __name__ == "__main__":
    unittest.main()
