import Events
import Journal
import Synchronization

/// Moments and drafts that tests share.
enum Sample {
    static let start = Timestamp(seconds: 1_790_000_000)

    static func draft(_ number: Int, size: Int = 0) -> EntryDraft {
        EntryDraft(
            type: "finding.recorded", occurredAt: start.advanced(bySeconds: Int64(number)), actor: "system",
            data: ["number": .integer(Int64(number)), "text": .string(String(repeating: "x", count: size))])
    }

    static func personalDraft(_ number: Int, subjects: [Subject]) -> EntryDraft {
        var draft = draft(number)
        draft.personal = [
            PersonalField(name: "source.ip", subjects: subjects, value: .string(subjects.map(\.value).joined(separator: " ")))
        ]
        return draft
    }

    /// A random source that gives the same bytes in every run.
    static func random(_ seed: UInt64) -> RandomSource {
        let state = SharedGenerator(seed)
        return RandomSource { state.bytes($0) }
    }
}

private final class SharedGenerator: Sendable {
    private let generator: Mutex<SeededGenerator>

    init(_ seed: UInt64) {
        generator = Mutex(SeededGenerator(state: seed))
    }

    func bytes(_ count: Int) -> [UInt8] {
        generator.withLock { generator in
            (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        }
    }
}
