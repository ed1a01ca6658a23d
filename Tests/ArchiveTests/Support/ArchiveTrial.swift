import Detection
import Events
import Foundation
import Ingest
import Synchronization

@testable import Archive

/// A value that several tasks change.
final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

/// A folder of its own, gone when the test is over.
final class TemporaryArchive: Sendable {
    let folder: String
    private let told = Mutex<[ArchiveEvent]>([])
    private let isRefusing = Mutex(false)

    init() {
        folder = FileManager.default.temporaryDirectory.path + "/archive-" + UUID().uuidString
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    struct Refusal: Error {}

    private let hook = Mutex<(@Sendable (ArchiveEvent) async -> Void)?>(nil)

    /// What happens while the journal is being told.
    func whileTelling(_ body: (@Sendable (ArchiveEvent) async -> Void)?) { hook.withLock { $0 = body } }

    /// What the journal was told.
    var events: [ArchiveEvent] { told.withLock { $0 } }

    func refuseJournal(_ refuses: Bool) { isRefusing.withLock { $0 = refuses } }

    func open(
        at now: Timestamp = Trial.start, policy: RetentionPolicy = Trial.policy, fingerprint: UInt64 = 0,
        resumingAt position: ArchivePosition? = nil
    ) async -> Archive {
        let archive = Archive(folder: folder, policy: policy, fingerprint: fingerprint, resumingAt: position) { [self] event in
            if isRefusing.withLock({ $0 }) { throw Refusal() }
            told.withLock { $0.append(event) }
            await hook.withLock { $0 }?(event)
        }
        await archive.recover(at: now)
        return archive
    }

    /// Every line there is, in order, and what is damaged.
    func contents() throws -> (lines: [String], damages: [ArchiveDamage]) {
        let reader = ArchiveReader(folder: folder)
        let all = try reader.segments()
        var lines: [String] = []
        var damages: [ArchiveDamage] = []
        for number in all {
            guard let segment = try reader.open(number, of: all) else { continue }
            damages += segment.damages
            for block in segment.blocks {
                switch try segment.read(block) {
                case .failure(let damage): damages.append(damage)
                case .success(.citations): break
                case .success(.lines(let block)): lines += block.texts
                }
            }
        }
        return (lines, damages)
    }

    func segmentBytes(_ number: UInt64) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: ArchiveFolder.segmentPath(folder, number))))
    }

    func setSegmentBytes(_ bytes: [UInt8], of number: UInt64) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: ArchiveFolder.segmentPath(folder, number)))
    }
}

extension LineBlock {
    var texts: [String] { lines.map { String(decoding: text[$0.range.bounds], as: UTF8.self) } }
}

enum Trial {
    /// 2026-03-01T10:00:00Z.
    static let start = Timestamp(seconds: 1_772_359_200)

    /// The disks that tests run on may be nearly full.
    static var policy: RetentionPolicy {
        var policy = RetentionPolicy()
        policy.minimumFreeBytes = 0
        return policy
    }

    static func days(_ count: Int64) -> Timestamp { start.advanced(bySeconds: count * 86_400) }

    /// A block of made-up lines.
    static func block(
        _ texts: [String], source: String = "/var/log/app.log", received: Timestamp = Trial.start, security: Set<Int> = [],
        address: String? = nil
    ) -> LineBlock {
        var block = LineBlock()
        var offset: Int64 = 0
        for (index, text) in texts.enumerated() {
            let bytes = Array(text.utf8)
            block.add(
                bytes.span, offset: offset, number: Int64(index + 1), time: received.advanced(bySeconds: Int64(index)),
                hasOwnTime: index % 3 != 0, isSecurity: security.contains(index),
                origin: BatchOrigin(source: source, generation: 0), format: "json", received: received)
            offset += Int64(bytes.count + 1)
        }
        if let address, let key = ValueKey(.sourceIP, address) { block.add(key) }
        return block
    }
}

/// SplitMix64: the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
