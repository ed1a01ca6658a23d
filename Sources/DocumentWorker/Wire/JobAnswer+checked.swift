extension JobAnswer {
    /// The answer in what an honest worker could have said, or nil.
    ///
    /// Texts are for people and go on pages and into logs: control characters are removed, and they are cut.
    func checked() -> JobAnswer? {
        switch self {
        case .methods(let methods):
            guard (1...32).contains(methods.count) else { return nil }
            return .methods(
                methods.map { MarkMethod(name: Self.text($0.name, most: 32), usage: Self.text($0.usage, most: 1_000)) })
        case .report(var report):
            let counts = [report.size, report.pages, report.words, report.hiddenWords] + report.methods.map(\.words)
            guard counts.allSatisfy({ $0 >= 0 }), report.methods.count <= 32, report.suspicions.count <= 16,
                Self.isDigest(report.sha256)
            else { return nil }
            for index in report.methods.indices {
                report.methods[index].name = Self.text(report.methods[index].name, most: 32)
                report.methods[index].notes = report.methods[index].notes.prefix(16).map { Self.text($0, most: 500) }
            }
            return .report(report)
        case .copy(let copy): return copy.size >= 0 && Self.isDigest(copy.sha256) ? self : nil
        case .secret(let secret): return (1...320).contains(secret.unicodeScalars.count) ? self : nil
        case .trace(var report):
            let numbers = [report.highestDecoyScore] + report.accused.flatMap { [$0.score, $0.falsePositiveBound] }
            guard report.accused.count <= 1_000, report.pages.count <= 10_000, report.tokens.count <= 1_000,
                numbers.allSatisfy(\.isFinite)
            else { return nil }
            if let evidence = report.evidence {
                let places = [evidence.width, evidence.height] + evidence.words.flatMap { [$0.x, $0.y] }
                guard evidence.words.count <= 2_000, places.allSatisfy({ $0.isFinite && abs($0) < 100_000 }),
                    evidence.width > 0, evidence.height > 0
                else { return nil }
            }
            report.tokens = report.tokens.map { Self.text($0, most: 320) }
            return .trace(report)
        case .done: return self
        case .matches(let matches):
            let pages = matches.flatMap { $0.pages.joined() }
            guard matches.count <= 16, matches.allSatisfy({ $0.original >= 0 && $0.score >= 0 && $0.pages.count <= 64 }),
                pages.count <= 1_000, pages.allSatisfy({ (0..<10_000).contains($0) })
            else { return nil }
            return self
        case .failed(let failure, let message): return .failed(failure, Self.text(message, most: 500))
        case .probed(let text): return .probed(Self.text(text, most: 4_000))
        }
    }

    private static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func text(_ text: String, most: Int) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(most) {
            scalars.append(
                scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format ? " " : scalar)
        }
        return String(scalars)
    }
}
