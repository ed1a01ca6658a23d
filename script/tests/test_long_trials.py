"""The log generator and what script/soak counts."""

import collections
import pathlib
import tempfile
import unittest

from lib import generate, kill_storm


class Generating(unittest.TestCase):
    def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(self):
        first, again, other = ("".join(generate.combined(3000, seed)) for seed in (1, 1, 2))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_every_format_has_as_many_lines_as_asked_for(self):
        for lines in generate.FORMATS.values():
            self.assertEqual(sum(line.count("\n") for line in lines(2500, 1)), 2500)

    def test_steady_attackers_are_never_silent_for_a_minute(self):
        minute = 60 * generate.LINES_PER_SECOND
        lines = list(generate.combined(20 * minute, 3))
        for start in range(0, len(lines), minute):
            for address in generate.STEADY_ADDRESSES:
                self.assertTrue(any(line.startswith(address) for line in lines[start:start + minute]), (start, address))

    def test_attackers_on_both_sides_of_an_offset_are_counted_apart(self):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "log"
            generate.write(log, "combined", 6000, 1)
            half = sum(len(line) for line in list(generate.combined(6000, 1))[:3000])
            for before, after in kill_storm.steady_neighbours(log, half).values():
                self.assertTrue(before > 0 and after > 0)


class Comparing(unittest.TestCase):
    def test_lost_extra_and_repeated_findings_are_told_apart(self):
        reference = collections.Counter(["a", "b"])
        self.assertEqual(kill_storm.compare(reference, collections.Counter(["b", "b", "c"])),
                         {"lost": ["a"], "extra": ["c"], "repeated": ["b"]})

    def test_equal_journals_have_no_difference(self):
        same = collections.Counter(["a", "b"])
        self.assertFalse(any(kill_storm.compare(same, same).values()))

    def test_the_durable_position_is_that_of_the_log_asked_for(self):
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder)
            self.assertIsNone(kill_storm.durable_position(data, data / "a.log"))
            (data / "detection").mkdir()
            (data / "detection/snapshot.json").write_text(
                f'{{"states":[{{"positions":[{{"path":"{data}/b.log","offset":1}}]}},'
                f'{{"positions":[{{"path":"{data}/a.log","offset":7}}]}}]}}')
            self.assertEqual(kill_storm.durable_position(data, data / "a.log"), 7)


if __name__ == "__main__":
    unittest.main()
