import Archive
import Events
import Foundation
import Fuzzing
import Ingest

/// A segment of the archive, damaged: the input is written where a segment stands, as it is (first byte even) or behind a whole
/// segment with a whole block (odd), and read as a hunt, a check and a start read it.
///
/// Laws: nothing traps, whatever the bytes; blocks that are given lie within the file; the whole block in front is always read; a start
/// leaves an archive without damage where it cut, and what is written then is read back.
@main enum FuzzArchive {
    static func main() {
        fuzz(examine)
    }

    private static let folder =
        FileManager.default.temporaryDirectory.path + "/fuzz-archive-\(ProcessInfo.processInfo.processIdentifier)"
    private static let segmentPath = folder + "/000000000001.segment"
    private static let now = Timestamp(seconds: 1_772_359_200)

    private static let formats = FormatSet.none

    private static func examine(_ data: [UInt8]) {
        guard let first = data.first else { return }
        try? FileManager.default.removeItem(atPath: folder)
        var whole: [UInt8] = []
        if first % 2 == 1 { whole = makeSegment() }
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let bytes = whole + data.dropFirst()
        guard FileManager.default.createFile(atPath: segmentPath, contents: Data(bytes)) else { return }
        let lines = read(byteCount: bytes.count)
        precondition(whole.isEmpty || lines.first == "whole", "a block in front of the damage was not read")
        let reader = ArchiveReader(folder: folder)
        _ = try? reader.verify()
        reopen()
    }

    /// Every line that can be read.
    private static func read(byteCount: Int) -> [String] {
        let reader = ArchiveReader(folder: folder)
        guard let all = try? reader.segments(), let segment = try? reader.open(1, of: all) else { return [] }
        var lines: [String] = []
        var replay = BlockReplay(formats)
        var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))
        for block in segment.blocks {
            precondition(block.offset + block.header.blockBytes <= byteCount, "a block reaches behind the file")
            guard let content = try? segment.read(block), case .success(.lines(let some)) = content else { continue }
            for line in some.lines { lines.append(String(decoding: some.text[line.range.bounds], as: UTF8.self)) }
            replay.replay(some, trustedProxies: segment.header.trustedProxies, query: ArchiveQuery(), batch: &batch) { _ in }
        }
        return lines
    }

    /// A whole segment with one block.
    private static func makeSegment() -> [UInt8] {
        write("whole")
        return FileManager.default.contents(atPath: segmentPath).map(Array.init) ?? []
    }

    private static func reopen() {
        write("again")
        let reader = ArchiveReader(folder: folder)
        let all = (try? reader.segments()) ?? []
        precondition(all.count == 2, "a start does not go on behind what was there")
        guard let last = all.last, let segment = try? reader.open(last, of: all) else {
            preconditionFailure("it cannot be opened")
        }
        precondition(segment.damages.isEmpty && segment.blocks.count == 1, "what was written is damaged")
    }

    private static func write(_ text: String) {
        let done = DispatchSemaphore(value: 0)
        Task {
            var policy = RetentionPolicy()
            policy.minimumFreeBytes = 0
            let archive = Archive(folder: folder, policy: policy)
            var block = LineBlock()
            let line = Array(text.utf8)
            block.add(
                line.span, offset: 0, number: 1, time: now, hasOwnTime: true, isSecurity: false,
                origin: BatchOrigin(source: "s", generation: 0), format: "auto", received: now)
            await archive.write(block)
            _ = await archive.synchronise(at: now)
            done.signal()
        }
        done.wait()
    }
}
