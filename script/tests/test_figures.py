"""How measurements are told."""

import contextlib
import io
import json
import os
import pathlib
import tempfile
import unittest

from lib import figures


class Numbers(unittest.TestCase):
    def test_a_percentile_is_one_of_the_values_whatever_their_order(self):
        self.assertEqual([figures.percentile([3, 1, 2], share) for share in (0, 0.33, 0.5, 0.99, 1)], [1, 1, 2, 3, 3])
        self.assertEqual(figures.percentile(range(100), 0.99), 99)
        self.assertEqual(figures.percentile([7], 0.5), 7)

    def test_wilson_interval_of_a_textbook_value(self):
        low, high = figures.wilson(8, 10)
        self.assertAlmostEqual(low, 0.4902, places=4)
        self.assertAlmostEqual(high, 0.9433, places=4)

    def test_wilson_interval_stays_within_zero_and_one(self):
        self.assertEqual(figures.wilson(0, 5)[0], 0.0)
        self.assertEqual(figures.wilson(5, 5)[1], 1.0)
        self.assertIsNone(figures.wilson(0, 0))

    def test_a_spread_has_the_median_with_least_and_most(self):
        self.assertEqual(figures.spread([1000, 3000.26, 2000], 1), "2,000.0 (1,000.0–3,000.3)")
        self.assertEqual(figures.spread([4], 0), "4 (4–4)")

    def test_processor_time_grows_with_what_is_computed(self):
        before, children = figures.processor_seconds(os.getpid())
        # More than a tick of the kernel's clock, by its own account.
        while os.times().user + os.times().system < before + 0.05:
            sum(range(10_000))
        own, after = figures.processor_seconds(os.getpid())
        self.assertGreater(own, before)
        self.assertEqual(after, children)


class Records(unittest.TestCase):
    def test_the_text_and_the_raw_data_stand_side_by_side(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder) / "made"
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                figures.record(folder, "speed", "# Speed\n", {"rounds": [1, 2]})
            self.assertEqual((folder / "speed.md").read_text(), "# Speed\n")
            self.assertEqual(json.loads((folder / "speed.json").read_text()), {"rounds": [1, 2]})
            self.assertEqual(printed.getvalue(), "# Speed\n\n")
