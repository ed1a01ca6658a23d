import Foundation
import Glibc
import Journal
import Logging
import Storage
import Testing

@testable import Server

@Suite("A full disk")
struct FullDiskTests {
    /// A small file system of its own in memory; unmounted at the end.
    private final class SmallDisk: Sendable {
        let path: String

        /// - Throws: cancels the test where nothing can be mounted.
        init(at path: String, mebibytes: Int) throws {
            self.path = path
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            guard mount("tmpfs", path, "tmpfs", 0, "size=\(mebibytes)m") == 0 else {
                try Test.cancel("not run: this user cannot mount a small file system (\(String(cString: strerror(errno))))")
            }
        }

        /// Takes all the room there is.
        func fill() {
            let descriptor = open(path + "/ballast", O_WRONLY | O_CREAT, 0o600)
            let block = [UInt8](repeating: 1, count: 4_096)
            while write(descriptor, block, block.count) > 0 {}
            close(descriptor)
        }

        func makeRoom() { unlink(path + "/ballast") }

        deinit { umount2(path, Int32(MNT_DETACH)) }
    }

    @Test("the server ends with the reason, and goes on where it was once there is room")
    func fills() async throws {
        let world = try World()
        let disk = try SmallDisk(at: world.path + "/disk", mebibytes: 80)
        var options = world.options
        options.dataFolder = disk.path + "/data"
        let data = DataFolder(path: options.dataFolder)
        try world.append((0..<3).map { Line.attack($0) })
        let error = await #expect(throws: (any Error).self) {
            try await withServer(world, options) { running in
                try await eventually("the first are read") { try await world.findings(in: data).count == 3 }
                disk.fill()
                // More than what is left in a last page.
                try world.append((3..<600).map { Line.attack($0) })
                try await eventually("the server ends") { Task.isCancelled }
            }
        }
        let text = error.map { String(describing: $0) } ?? ""
        #expect(text.contains("space") || text.contains("disk is full"), "\(text)")

        // A start on a disk that is still full is refused in words, too.
        let refusal = await #expect(throws: ServerError.self) {
            try await VigieServer.start(options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
        #expect(refusal?.code == .diskFull)
        #expect(refusal?.description.contains(options.dataFolder) == true)

        disk.makeRoom()
        try await withServer(world, options) { _ in
            try await eventually("all are there") { try await world.findings(in: data).count == 600 }
        }
        #expect(try await world.findings(in: data).count == 600)
    }

    @Test("where Vigie is served, it waits for room and goes on by itself, and every line is found once")
    func goesOn() async throws {
        let world = try World()
        let disk = try SmallDisk(at: world.path + "/disk", mebibytes: 80)
        var options = world.options
        options.dataFolder = disk.path + "/data"
        let data = DataFolder(path: options.dataFolder)
        try world.append((0..<3).map { Line.attack($0) })
        let (starts, waits) = (Shared(0), Shared<[String]>([]))
        let serving = Task { [options] in
            try await VigieServer.serve(
                options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, pause: .milliseconds(10),
                announcing: .init(
                    started: { _ in starts.value += 1 },
                    waiting: { error in waits.value.append(String(describing: error)) }))
        }
        // Until a server has made the tables, and while it does, they cannot be read.
        try await eventually("the first are read") { (try? await world.findings(in: data).count) == 3 }
        disk.fill()
        try world.append((3..<600).map { Line.attack($0) })
        try await eventually("it waits") { !waits.value.isEmpty }
        #expect(starts.value == 1)
        disk.makeRoom()
        try await eventually("all are there") { (try? await world.findings(in: data).count) == 600 }
        #expect(starts.value == 2)
        serving.cancel()
        _ = await serving.result
        #expect(try await world.findings(in: data).count == 600)
    }
}
