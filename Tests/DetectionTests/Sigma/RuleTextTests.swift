import Testing

@testable import Detection

/// The text of one document of a file, which the console shows.
@Suite struct RuleTextTests {
    @Test(arguments: ["\n", "\r\n"]) func aDocumentIsWhatStandsBetweenItsSeparators(lineEnd: String) {
        let lines = [
            "# a comment", "title: First", "level: low", "---", "title: Second", "", "level: high", "--- # the last",
            "title: Third",
        ]
        let source = RuleSource(path: "three.yml", text: lines.joined(separator: lineEnd))
        let texts = [2, 5, 9].map { source.text(ofDocumentAt: $0).replacing(lineEnd, with: "|") }
        #expect(
            texts.map { $0.trimmingSuffix { $0.isWhitespace } } == [
                "# a comment|title: First|level: low", "title: Second||level: high", "title: Third",
            ])
    }

    @Test(arguments: [-1, 0, 3]) func aLineThatTheFileDoesNotHaveHasNoText(line: Int) {
        #expect(RuleSource(path: "one.yml", text: "title: One\n").text(ofDocumentAt: line).isEmpty)
    }
}

extension String {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
        var copy = self[...]
        while let last = copy.last, predicate(last) { copy.removeLast() }
        return String(copy)
    }
}
