"""Whoever asks a script what it does must not wait for a build."""

import pathlib
import subprocess
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[1]


class Help(unittest.TestCase):
    def test_every_shell_script_says_what_it_does_and_does_nothing_else(self):
        shell = [path for path in SCRIPTS.iterdir() if path.is_file() and path.read_text().startswith("#!/usr/bin/env bash")]
        self.assertIn(SCRIPTS / "run", shell)
        for script in shell:
            for arguments in (["--help"], ["access.log", "-h"]):
                with self.subTest(script=script.name, arguments=arguments):
                    # Where a compiler or a package would be needed, there is none.
                    answer = subprocess.run([script, *arguments], capture_output=True, text=True, timeout=60, env={"PATH": "/usr/bin:/bin"})
                    self.assertEqual((answer.returncode, answer.stderr), (0, ""))
                    self.assertIn(f"script/{script.name}", answer.stdout)
