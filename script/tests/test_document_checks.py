"""What documents say about the code, each check on a small tree of its own."""

import pathlib
import tempfile
import unittest

from lib import document_checks as documents

PACKAGE = '''let package = Package(
    targets: [
        // What a record is.
        .target(name: "Events", swiftSettings: parsing),
        // Bytes in,
        // events out.
        .target(
            name: "Ingest", dependencies: ["Events", "CZlib", .product(name: "Yams", package: "Yams")],
            swiftSettings: parsing),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .executableTarget(name: "vigie", dependencies: ["Ingest"], path: "Sources/Executables/vigie"),
        .testTarget(name: "EventsTests", dependencies: ["Events"]),
        .target(name: "Counter", path: "Tests/Counter"),
    ],
)
'''


class Documents(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def file(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def said(self, check):
        return [complaint for _, _, complaint in check(self.root)]

    def types(self, text):
        self.file("Sources/A/A.swift", text)
        return sorted(documents.entry_types(documents.swift_sources(self.root), {"page"}))

    def test_types_are_found_however_they_are_written(self):
        self.assertEqual(self.types('EntryDraft(\n    type: "a.one", actor: "x")'), ["a.one"])
        self.assertEqual(self.types('static let doneType = "a.two"'), ["a.two"])
        self.assertEqual(self.types('hold.draft(\n  "a.three", reason: "b.not")'), ["a.three"])
        self.assertEqual(self.types('    case sent = "page.sent"\n    case other = "file.name"\n'), ["page.sent"])
        self.assertEqual(self.types('    case "page.sent", "page.dead": 1\n'), ["page.dead", "page.sent"])
        self.assertEqual(self.types('    case .new: "lease.new"\n let draft = EntryDraft(type: type)\n'), ["lease.new"])

    def test_types_are_found_that_are_put_together(self):
        text = 'EntryDraft(type: "lease." + kind)\n    switch self {\n    case .asked: "asked"\n    case .notIn(_, let a): "not_in"\n'
        self.assertEqual(self.types(text), ["lease.asked", "lease.not_in"])
        self.assertEqual(self.types("    case .asked: \"asked\"\n"), [])

    def test_other_words_are_no_types(self):
        self.assertEqual(self.types('let body = #"{"type": "incident.page"}"#\nlet a = "page.mustache"\n'), [])
        self.assertEqual(self.types('contentType: "manifest.json"\n'), [])

    def test_every_type_stands_in_the_document_and_no_other(self):
        self.file("Sources/A/A.swift", 'EntryDraft(type: "a.one")\nEntryDraft(type: "a.two")\n')
        self.file("docs/journal-format.md", "| type | `data` | sealed |\n|---|---|---|\n| `a.one`, `a.two` | `x.y` | |\n")
        self.assertEqual(self.said(documents.check_entry_types), [])
        self.file("docs/journal-format.md", "| type | `data` | sealed |\n|---|---|---|\n| `a.one` | | |\n| `a.gone` | | |\n")
        self.assertEqual(self.said(documents.check_entry_types), [
            "entry type a.two is missing in docs/journal-format.md", "no source writes or reads an entry of type a.gone"])

    def test_a_row_behind_a_broken_table_does_not_count(self):
        self.file("Sources/A/A.swift", 'EntryDraft(type: "a.one")\n')
        self.file("docs/journal-format.md", "| type | `data` | sealed |\n|---|---|---|\n\n| `a.one` | | |\n")
        self.assertEqual(len(self.said(documents.check_entry_types)), 1)

    def test_targets_are_those_of_the_package(self):
        self.file("Package.swift", PACKAGE)
        self.assertEqual(list(documents.targets(self.root)), [
            ("Events", "What a record is.", [], []), ("Ingest", "Bytes in, events out.", ["Events"], ["CZlib", "Yams"]),
            ("vigie", "", ["Ingest"], [])])

    def test_the_table_of_targets_has_to_agree(self):
        self.file("Package.swift", PACKAGE)
        table = documents.targets_markdown(self.root)
        self.file("docs/architecture.md", f"# A\n\n{table}\n\ntext\n")
        self.assertEqual(self.said(documents.check_targets), [])
        for other in (table.replace("CZlib, Yams", "CZlib"), table + "\n| `Gone` | | | |", "nothing"):
            self.file("docs/architecture.md", f"# A\n\n{other}\n\ntext\n")
            self.assertEqual(len(self.said(documents.check_targets)), 1)

    def test_what_is_imported_nowhere_is_no_dependency(self):
        self.file("Package.swift", PACKAGE)
        self.file("Sources/Ingest/A.swift", "package import Events\nimport CZlib\nimport struct Yams.Node\n")
        self.assertEqual(self.said(documents.check_dependencies_are_imported), [])
        self.file("Sources/Ingest/A.swift", "import EventsOther\nimport CZlib\n// import Yams\n")
        self.assertEqual(self.said(documents.check_dependencies_are_imported), [
            "Ingest imports Events nowhere: drop the dependency", "Ingest imports Yams nowhere: drop the dependency"])

    def test_every_key_of_the_configuration_is_shown(self):
        self.file("Sources/Server/Configuration/Configuration.swift", 'let known = [\n  "listen", "data",\n]\nlet known = ["x"]\n')
        self.file("README.md", "## Configuration\n\n    listen: 1\n    data: x\n\n## More\n\n(known: listen, data)\n")
        self.assertEqual(self.said(documents.check_configuration), [])
        self.file("README.md", "## Configuration\n\n    listen: 1\n\n## More\n\n    data: x\n\n(known: listen)\n")
        self.assertEqual(len(self.said(documents.check_configuration)), 2)

    def test_formats_are_counted(self):
        self.file("rules/formats/a.yml", "")
        self.file("README.md", "1 more as [YAML files](x)")
        self.assertEqual(self.said(documents.check_format_count), [])
        self.file("rules/formats/b.yml", "")
        self.assertEqual(len(self.said(documents.check_format_count)), 1)

    def test_constants_of_limits_are_where_they_are_said_to_be(self):
        self.file("Sources/A/A.swift", "struct Tail {\n  static let chunk = 1\n  struct Limits { var groups = 2 }\n}\n")
        self.file("docs/architecture.md", "| what | at most | where |\n|---|---|---|\n"
                                          "| a | 1 | `Tail.chunk`, `Tail.Limits.groups` |\n| b | 1 | `Tail` |\n")
        self.assertEqual(self.said(documents.check_limits), [])
        self.file("docs/architecture.md", "| what | at most | where |\n|---|---|---|\n"
                                          "| a | 1 | `Tail.chunk`, `piece` |\n| b | 1 | `Head.chunk` |\n")
        self.assertEqual(self.said(documents.check_limits), ["piece: no such member of Tail", "Head.chunk: there is no type Head"])


if __name__ == "__main__":
    unittest.main()
