"""Waiting: for what comes, and for what does not."""

import subprocess
import sys
import unittest

from lib import waiting


class Waiting(unittest.TestCase):
    def test_what_is_true_is_returned(self):
        answers = iter([None, 0, "there"])
        self.assertEqual(waiting.eventually("it is there", 60, lambda: next(answers), pause=0), "there")

    def test_what_never_comes_is_named(self):
        with self.assertRaisesRegex(waiting.NotReady, "a thing"):
            waiting.eventually("a thing", 0, lambda: False, pause=0)

    def test_a_value_that_arrives_ends_the_waiting(self):
        values = iter([1, 5, 9])
        self.assertEqual(waiting.until(lambda value: value >= 9, lambda: next(values), 60, lambda: None, pause=0), (9, True))

    def test_standstill_ends_it_too(self):
        values = iter([1, 2, 3])
        self.assertEqual(waiting.until(lambda value: value >= 9, lambda: next(values, 3), 0, lambda: None, pause=0.001), (3, False))

    def test_who_is_waited_for_may_end_it(self):
        def ended():
            raise RuntimeError("it ended")
        with self.assertRaisesRegex(RuntimeError, "it ended"):
            waiting.until(lambda value: False, lambda: 1, 60, ended, pause=0)

    def test_a_process_that_ends_does_not_listen(self):
        process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
        process.wait()
        with self.assertRaisesRegex(waiting.NotReady, "it ended with status 3"):
            waiting.wait_for_port(waiting.free_port(), process, "it")

    def test_no_port_is_given_twice(self):
        ports = [waiting.free_port() for _ in range(200)]
        self.assertEqual(len(set(ports)), len(ports))


if __name__ == "__main__":
    unittest.main()
