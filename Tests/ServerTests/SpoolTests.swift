import Events
import Foundation
import Glibc
import Ingest
import Testing

@testable import Server

/// A folder that is gone when the test is over.
private final class Folder: Sendable {
    let path = FileManager.default.temporaryDirectory.path + "/spool-" + UUID().uuidString

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var spool: String { path + "/test.jsonl" }

    func open(limit: Int = 1 << 20, segment: Int = 1 << 20, positions: [FilePosition] = [], memory: inout SpoolMemory) throws
        -> Spool
    {
        try Spool(path: spool, limit: limit, segmentBytes: segment, positions: positions, memory: &memory)
    }
}

/// The follower of a spool, as the watch has it.
private struct Follower {
    private let tail: FileTail
    private var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))
    private(set) var messages: [String] = []
    private let table = FieldTable()

    init(_ path: String, positions: [FilePosition] = []) {
        tail = FileTail(
            path: path, parser: BatchParser(format: .json, plan: JSONFieldPlan(table)), resumingAt: positions,
            now: Timestamp(seconds: 0))
    }

    /// Reads to the end.
    mutating func read() {
        while tail.poll(into: &batch, now: Timestamp(seconds: 0)) {
            for event in batch.events {
                for field in batch.fields[event.fields] where field.field == .message {
                    messages.append(String(decoding: batch.bytes[field.range.bounds], as: UTF8.self))
                }
            }
        }
    }

    var positions: [FilePosition] { tail.positions }
}

@Suite("A receiver's spool")
struct SpoolTests {
    private static func line(_ number: Int, padding: Int = 0) -> [UInt8] {
        Array("{\"message\":\"m\(number)\",\"x\":\"\(String(repeating: "x", count: padding))\"}\n".utf8)
    }

    @Test("what is appended is read once, in order, through rotations, by whoever follows it")
    func rotations() async throws {
        let folder = try Folder()
        var memory = SpoolMemory()
        let spool = try folder.open(segment: 4_096, memory: &memory)
        var follower = Follower(folder.spool)
        for number in 0..<300 {
            try await spool.append(Self.line(number, padding: 100))
            if number % 7 == 0 {
                follower.read()
                spool.advance(follower.positions)
            }
        }
        follower.read()
        spool.advance(follower.positions)
        #expect(follower.messages == (0..<300).map { "m\($0)" })
        #expect(spool.backlog == 0)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(files.allSatisfy { ["test.jsonl", "test.jsonl.1"].contains($0) })
        let size = try FileManager.default.attributesOfItem(atPath: folder.spool)[.size] as? Int
        #expect((size ?? .max) < 3 * 4_096)
    }

    @Test("appends at the same time are each durable when they return, and none is lost or torn")
    func concurrent() async throws {
        let folder = try Folder()
        var memory = SpoolMemory()
        let spool = try folder.open(limit: 64 << 20, memory: &memory)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<400 {
                group.addTask {
                    do {
                        try await spool.append(Self.line(number))
                        let text = try String(contentsOfFile: spool.path, encoding: .utf8)
                        #expect(text.contains("\"m\(number)\""))
                    } catch {
                        Issue.record(error)
                    }
                }
            }
        }
        var follower = Follower(folder.spool)
        follower.read()
        #expect(Set(follower.messages) == Set((0..<400).map { "m\($0)" }) && follower.messages.count == 400)
    }

    @Test("a backlog at its limit refuses, and takes again once it is read durably")
    func full() async throws {
        let folder = try Folder()
        var memory = SpoolMemory()
        let spool = try folder.open(limit: 8_192, memory: &memory)
        var taken = 0
        var refusal: SpoolError?
        while refusal == nil {
            do {
                try await spool.append(Self.line(taken, padding: 500))
                taken += 1
            } catch let error as SpoolError {
                refusal = error
            }
        }
        #expect(refusal?.code == .full && spool.isFull && taken > 5)
        var follower = Follower(folder.spool)
        follower.read()
        #expect(follower.messages.count == taken)
        // Read is not enough: it has to be durable.
        #expect(spool.isFull)
        spool.advance(follower.positions)
        #expect(!spool.isFull)
        try await spool.append(Self.line(taken))
    }

    @Test("after a crash in the middle of a line, reading goes on where it was, and the half line is gone")
    func torn() async throws {
        let folder = try Folder()
        var memory = SpoolMemory()
        var follower = Follower(folder.spool)
        do {
            let spool = try folder.open(memory: &memory)
            for number in 0..<3 { try await spool.append(Self.line(number)) }
        }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.spool))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"message\":\"half".utf8))
        try handle.close()
        follower.read()
        let spool = try folder.open(positions: follower.positions, memory: &memory)
        try await spool.append(Self.line(3))
        var next = Follower(folder.spool, positions: follower.positions)
        next.read()
        #expect(follower.messages + next.messages == ["m0", "m1", "m2", "m3"])
    }

    @Test("a spool that lost its end, as after a power cut, is not read a second time")
    func lostEnd() async throws {
        let folder = try Folder()
        var memory = SpoolMemory()
        var follower = Follower(folder.spool)
        do {
            let spool = try folder.open(memory: &memory)
            for number in 0..<3 { try await spool.append(Self.line(number)) }
        }
        follower.read()
        #expect(truncate(folder.spool, off_t(SpoolFile.headerBytes + Self.line(0).count)) == 0)
        let spool = try folder.open(positions: follower.positions, memory: &memory)
        try await spool.append(Self.line(3))
        var next = Follower(folder.spool, positions: follower.positions)
        next.read()
        #expect(next.messages == ["m3"])
    }

    @Test("a full disk refuses before a line is begun, and takes again once there is room")
    func fullDisk() async throws {
        let folder = try Folder()
        let disk = folder.path + "/disk"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        guard mount("tmpfs", disk, "tmpfs", 0, "size=4m") == 0 else {
            try Test.cancel("not run: this user cannot mount a small file system")
        }
        defer { umount2(disk, Int32(MNT_DETACH)) }
        var memory = SpoolMemory()
        let spool = try Spool(path: disk + "/test.jsonl", limit: 64 << 20, positions: [], memory: &memory)
        try await spool.append(Self.line(0))
        let ballast = open(disk + "/ballast", O_WRONLY | O_CREAT, 0o600)
        let block = [UInt8](repeating: 1, count: 4_096)
        while write(ballast, block, block.count) > 0 {}
        close(ballast)
        var taken = 1
        var refusal: SpoolError?
        while refusal == nil, taken < 10_000 {
            do {
                try await spool.append(Self.line(taken, padding: 5_000))
                taken += 1
            } catch let error as SpoolError {
                refusal = error
            }
        }
        #expect(refusal?.code == .disk)
        #expect(refusal?.reason.contains("No space left") == true)
        unlink(disk + "/ballast")
        try await spool.append(Self.line(taken))
        var follower = Follower(disk + "/test.jsonl")
        follower.read()
        #expect(follower.messages == (0...taken).map { "m\($0)" })
    }

    @Test("a rotation that fails on its way loses nothing, whichever step it is", arguments: 1...3)
    func failedRotation(_ step: Int) async throws {
        let folder = try Folder()
        var memory = SpoolMemory()
        let calls = Shared(0)
        let hidden = folder.path + "/hidden"
        let spool = try Spool(path: folder.spool, limit: 1 << 20, segmentBytes: 4_096, positions: [], memory: &memory) {
            old, new in
            calls.value += 1
            if calls.value == step { throw CocoaError(.fileWriteUnknown) }
            guard rename(old, new) == 0 else { throw CocoaError(.fileWriteUnknown) }
            // Both renames are done: what stands in its place now cannot be opened.
            guard step == 3, calls.value == 2, rename(new, hidden) == 0, mkdir(new, 0o700) == 0 else { return }
        }
        var follower = Follower(folder.spool)
        follower.read()
        for number in 0..<10 { try await spool.append(Self.line(number, padding: 1_000)) }
        if step == 3 { #expect(rmdir(folder.spool) == 0 && rename(hidden, folder.spool) == 0) }
        for number in 10..<30 { try await spool.append(Self.line(number, padding: 1_000)) }
        #expect(calls.value >= 2)
        // Nothing of it is read durably yet: it stands in the folder, whoever has a file open that is gone.
        let standing = [folder.spool + ".1", folder.spool].compactMap { try? String(contentsOfFile: $0, encoding: .utf8) }
            .joined()
        #expect((0..<30).filter { !standing.contains("\"m\($0)\"") } == [])
        follower.read()
        #expect(follower.messages == (0..<30).map { "m\($0)" })
        spool.advance(follower.positions)
        for number in 30..<40 { try await spool.append(Self.line(number, padding: 1_000)) }
        follower.read()
        #expect(follower.messages == (0..<40).map { "m\($0)" })
    }

    @Test(
        "of lines that were refused since the disk failed in their middle none is read, and the next are",
        arguments: [true, false])
    func tornWrite(_ canBlank: Bool) throws {
        let folder = try Folder()
        let room = Shared(Int.max)
        let roomAfterFailure = canBlank ? Int.max : 0
        let file = try SpoolFile(path: folder.spool, readUpTo: 0) { descriptor, bytes, offset in
            let count = min(bytes.count, room.value)
            guard count > 0 else {
                // What was allocated already can be written over on a full disk.
                room.value = roomAfterFailure
                errno = ENOSPC
                return -1
            }
            room.value -= count
            return pwrite(descriptor, bytes.baseAddress, count, off_t(offset))
        }
        try file.append(Self.line(0))
        var follower = Follower(folder.spool)
        let group = Self.line(1) + Self.line(2) + Self.line(3)
        room.value = Self.line(1).count + 5
        #expect(throws: SpoolError.self) { try file.append(group) }
        room.value = .max
        try file.append(group)
        follower.read()
        // What could not be written over is read: a whole line, and the beginning of one.
        #expect(follower.messages.filter { $0.hasPrefix("m") } == (canBlank ? [0, 1, 2, 3] : [0, 1, 1, 2, 3]).map { "m\($0)" })
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.spool)).count == file.size)
    }
}
