import Events
import Evidence
import Foundation
import Testing

@Suite("Evidence collected by itself")
struct CaptureTests {
    private let one: Case

    init() throws {
        one = try Case()
    }

    private func text(_ item: EvidenceItem) throws -> String {
        var bytes: [UInt8] = []
        try one.store.read(item) { bytes += $0 }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("what goes first is collected first; what cannot be read is named and keeps nothing back")
    func order() throws {
        try one.write(Array((1...100).map { "line \($0)\n" }.joined().utf8), to: "access.log")
        try one.write(Array("eval()".utf8), to: "shell.php")
        let outcome = EvidenceCapture(store: one.store, host: "web-1").capture(
            [
                .bytes(name: "rules.txt", source: "rules", Array("abc".utf8), .topology),
                .file(path: one.file("shell.php"), isSuspicious: true),
                .tail(path: one.file("access.log"), byteCount: 20), .file(path: one.file("absent"), isSuspicious: false),
                .processes, .sockets,
            ], incident: Case.incident, occurredAt: one.now
        ) { one.now }
        #expect(outcome.items.map(\.volatility) == outcome.items.map(\.volatility).sorted())
        #expect(outcome.failures.map(\.source) == [.file(path: one.file("absent"), isSuspicious: false)])
        #expect(outcome.failures.first?.reason.contains("absent") == true)
        let byName = Dictionary(outcome.items.map { ($0.name, $0) }) { first, _ in first }
        #expect(try text(#require(byName["access.log.tail"])) == "line 99\nline 100\n")
        #expect(try text(#require(byName["processes.txt"])).contains("\(ProcessInfo.processInfo.processIdentifier)\t"))
        #expect(byName["shell.php"]?.isSuspicious == true)
        #expect(try text(#require(byName["rules.txt"])) == "abc")
    }

    /// Whoever may write into a log's folder chooses what stands under its name.
    @Test(
        "the end of a log that is a link, a pipe or a folder is not taken, and nothing is waited for",
        arguments: ["link", "pipe", "folder"])
    func foreignTail(_ kind: String) throws {
        try one.write(Array("secret\n".utf8), to: "secret")
        let log = one.file("access.log")
        switch kind {
        case "link": try FileManager.default.createSymbolicLink(atPath: log, withDestinationPath: one.file("secret"))
        case "pipe": try #require(mkfifo(log, 0o600) == 0)
        default: try FileManager.default.createDirectory(atPath: log, withIntermediateDirectories: false)
        }
        let outcome = EvidenceCapture(store: one.store, host: "web-1").capture(
            [.tail(path: log, byteCount: 20)], incident: Case.incident, occurredAt: one.now
        ) { one.now }
        #expect(outcome.items.isEmpty)
        #expect(outcome.failures.map(\.source) == [.tail(path: log, byteCount: 20)])
        #expect(outcome.failures.first?.reason.contains(log) == true)
    }

    @Test("a process cannot pretend to be two")
    func processes() throws {
        try FileManager.default.createDirectory(atPath: one.file("proc/7"), withIntermediateDirectories: true)
        try one.write(Array("Name:\tsh\nPPid:\t1\nUid:\t33\t33\t33\t33\n".utf8), to: "proc/7/status")
        try one.write(Array("0::/docker/ab12\n".utf8), to: "proc/7/cgroup")
        try one.write(Array("sh\0-c\0x\n8\t1\t0\troot\n".utf8), to: "proc/7/cmdline")
        let outcome = EvidenceCapture(store: one.store, host: "h", proc: one.file("proc")).capture(
            [.processes], incident: Case.incident, occurredAt: one.now
        ) { one.now }
        #expect(
            try text(#require(outcome.items.first))
                == "pid\tppid\tuid\tname\tcgroup\tprogram\targuments\n7\t1\t33\tsh\t0::/docker/ab12\t\tsh -c x 8 1 0 root \n")
    }
}
