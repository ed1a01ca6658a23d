"""The checks of script/lint, each on a small tree of its own."""

import pathlib
import tempfile
import unittest

from lib import lint_checks as lint


class Checks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def file(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def lines(self, check, name, text):
        return [number for number, _ in check(self.file(name, text), text, self.root)]

    def test_imports_are_held_to_their_importers(self):
        self.assertEqual(self.lines(lint.check_imports, "Sources/Journal/A.swift", "import Events\npackage import GRDB\n"), [2])
        self.assertEqual(self.lines(lint.check_imports, "Sources/Storage/A.swift", "import GRDB\n"), [])
        text = "@preconcurrency import struct Yams.Node\n"
        self.assertEqual(self.lines(lint.check_imports, "Sources/Journal/B.swift", text), [1])

    def test_a_module_of_a_family_counts_as_the_family(self):
        self.assertEqual(self.lines(lint.check_imports, "Sources/Journal/A.swift", "import HummingbirdTLS\n"), [1])

    def test_events_stays_free_of_foundation(self):
        self.assertEqual(self.lines(lint.check_imports, "Sources/Events/A.swift", "import FoundationEssentials\n"), [1])

    def test_tests_may_import_what_they_test_with(self):
        self.assertEqual(self.lines(lint.check_imports, "Tests/JournalTests/A.swift", "import GRDB\n"), [])

    def test_comments_do_not_count(self):
        text = "// print(1)\n/* try! /* nested */ print(2) */\nlet text = \"// no comment\"; print(3)\n"
        self.assertEqual(self.lines(lint.check_swift_words, "Sources/Journal/A.swift", text), [3])

    def test_printing_belongs_to_the_command_line(self):
        self.assertEqual(self.lines(lint.check_swift_words, "Sources/CommandLine/A.swift", "print(1)\n"), [])
        self.assertEqual(self.lines(lint.check_swift_words, "Sources/Journal/A.swift", "blueprint(1)\nself.print(2)\n"), [])

    def test_a_forced_try_is_found_in_tests_too(self):
        self.assertEqual(self.lines(lint.check_swift_words, "Tests/ATests/A.swift", "let a = try! b()\n"), [1])

    def test_long_files_warn_and_longer_ones_fail(self):
        for lines, kind in ((450, None), (451, lint.Warning_), (901, lint.Failure)):
            text = "let a = 1\n" * lines
            found = list(lint.check_length(self.file("Sources/A/A.swift", text), text, self.root))
            self.assertEqual([type(complaint) for _, complaint in found], [kind] if kind else [])

    def test_links_resolve_outside_of_code(self):
        self.file("docs/there.md", "")
        text = ("[a](there.md#x) [b](gone.md) [c](https://example.org/x) `[d](gone.md)`\n"
                "```\n[e](gone.md)\n```\n![f](<gone.png>)\n")
        self.assertEqual(self.lines(lint.check_links, "docs/a.md", text), [1, 5])

    def test_paths_of_this_machine_are_found_whole(self):
        check = lambda path, text, root: lint.check_paths(path, text, root, ["/place/checkout"])
        self.assertEqual(self.lines(check, "docs/a.md", "/place/checkout/x\n/place/checkout-2\nplain\n"), [1])

    def test_fixed_scratch_names_are_for_attackers_only(self):
        check = lambda path, text, root: lint.check_paths(path, text, root, [])
        self.assertEqual(self.lines(check, "script/a", "cat " + "/tmp" + "/thing\n"), [1])
        self.assertEqual(self.lines(check, "rules/a.yml", "wget -O " + "/tmp" + "/x\n"), [])

    def test_scripts_parse(self):
        self.assertEqual([n for n, _ in lint.check_script(self.file("a", ""), "#!/usr/bin/env python3\nx = (\n")], [2])
        bad = "#!/usr/bin/env bash\nif true\n"
        self.assertEqual(len(list(lint.check_script(self.file("b", bad), bad))), 1)

    def test_the_dependency_table_has_to_agree(self):
        self.file("docs/dependencies.md", lint.table_markdown())
        self.assertEqual(list(lint.check_dependency_table(self.root)), [])
        self.file("docs/dependencies.md", lint.table_markdown().replace("`Storage`", "`Nobody`", 1))
        self.assertEqual(len(list(lint.check_dependency_table(self.root))), 1)


if __name__ == "__main__":
    unittest.main()
