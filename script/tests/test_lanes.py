"""The lanes' generator, and how script/bench chooses rules."""

import json
import pathlib
import statistics
import tempfile
import unittest

from lib import lane_bench, lanes


class Generating(unittest.TestCase):
    def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(self):
        for lane in lanes.LANES:
            first, again, other = ("".join(lanes.lines(lane, 200, seed)) for seed in (1, 1, 2))
            self.assertEqual(first, again)
            self.assertNotEqual(first, other)

    def test_every_lane_has_as_many_lines_as_asked_for_and_json_where_it_says_so(self):
        for lane, format in lanes.FORMATS.items():
            text = list(lanes.lines(lane, 300, 1))
            self.assertEqual(len(text), 300)
            for line in text if format == "json" else []:
                json.loads(line)

    def test_sizes_and_novelty_are_those_of_real_events(self):
        sysmon = list(lanes.lines("sysmon", 2000, 1))
        self.assertTrue(800 <= statistics.mean(map(len, sysmon)) <= 1100)
        commands = [json.loads(line).get("CommandLine") for line in sysmon]
        commands = [command for command in commands if command]
        self.assertGreater(len(set(commands)), len(commands) * 0.6)


class Choosing(unittest.TestCase):
    def test_rules_are_spread_evenly_and_samples_are_none(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "all").mkdir()
            for number in range(20):
                (root / "all" / f"r{number:02d}.yml").touch()
            (root / "all" / "r00.samples.yml").touch()
            files = lane_bench.rule_files(root / "all", root)
            self.assertEqual(len(files), 20)
            chosen = sorted(link.resolve().name for link in lane_bench.subset(files, 5, root).iterdir())
            self.assertEqual(chosen, ["r00.yml", "r04.yml", "r08.yml", "r12.yml", "r16.yml"])
            self.assertEqual(len(list(lane_bench.subset(files, 50, root).iterdir())), 20)


if __name__ == "__main__":
    unittest.main()
