import Events
import Evidence
import Foundation
import Journal
import Testing

@Suite("Evidence archives")
struct ArchiveTests {
    private let one: Case

    init() throws {
        one = try Case()
    }

    @Test("exported, it verifies with the public key alone; order of volatility, markings kept, suspicious bytes encrypted")
    func roundTrip() async throws {
        try await one.fill()
        let outcome = try await one.export()
        #expect(outcome.items.first?.name == "ps.txt", "memory goes before disk")
        #expect(outcome.withheld.map(\.name) == ["people.csv"])
        let report = try one.verify()
        #expect(report.problems == [])
        #expect(report.incident == Case.incident)
        #expect(report.entryCount == 6)
        #expect(Set(report.items.map(\.name)) == ["access.log", "ps.txt", "shell.php"])
        #expect(report.withheld.map(\.name) == ["people.csv"])
        #expect(report.checkpoint?.checkpoint == outcome.checkpoint)

        let bytes = try one.read("out.tar")
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("log line"))
        #expect(!text.contains("X5O!P%@AP"))
        #expect(!text.contains("names of people"))
        let page = try #require(try files().first { $0.path.hasSuffix("README.html") })
        #expect(!String(decoding: page.bytes, as: UTF8.self).contains("<script"))
        let keys = try FileManager.default.contentsOfDirectory(atPath: one.file("keys/evidence")).map { "keys/evidence/\($0)" }
        for secret in ["keys/checkpoint"] + keys {
            let line = String(decoding: try one.read(secret), as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
            // Base64 has plus signs of its own: a note key is cut at the first four, `PRIVATE+KEY+name+id+key`.
            let key = line.hasPrefix("PRIVATE+KEY+") ? line.split(separator: "+", maxSplits: 4).last.map(String.init) ?? "" : line
            #expect(key.utf8.count > 40 && !text.contains(key), "\(secret)")
        }
        #expect(text.contains("logs/incidents/2026-09-21/SEC-2026-0001/manifest.json"))
        // Everything, for somebody who may see it.
        let whole = try await one.export(.red, to: "red.tar")
        #expect(whole.withheld.isEmpty)
        #expect(try one.verify("red.tar").problems == [])
    }

    @Test(
        "an erased item is listed without its bytes, and the archive verifies; whoever leaves one out without an erasure is named"
    )
    func erased() async throws {
        try await one.fill()
        let item = try await one.add(Array("203.0.113.9 asked".utf8), name: "addresses.log", marking: .clear)
        _ = try await one.journal.append(
            [Custody.erasure(item, reason: "article 17", actor: "uid:0", at: one.now)], at: one.now)
        try one.store.erase(item.sha256)
        let outcome = try await one.export()
        #expect(outcome.erased == [item])
        let report = try one.verify()
        #expect(report.problems == [])
        #expect(report.erased == [item])
        #expect(!String(decoding: try one.read("out.tar"), as: UTF8.self).contains("203.0.113.9 asked"))
        let page = try #require(try files().first { $0.path.hasSuffix("README.html") })
        #expect(String(decoding: page.bytes, as: UTF8.self).contains("<td>erased</td>"))
    }

    @Test("tar itself can unpack it")
    func tar() async throws {
        try await one.fill()
        try await one.export()
        try FileManager.default.createDirectory(atPath: one.file("x"), withIntermediateDirectories: true)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["tar", "-xf", one.file("out.tar"), "-C", one.file("x")]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let folder = "x/logs/incidents/2026-09-21/SEC-2026-0001"
        let names = try FileManager.default.contentsOfDirectory(atPath: one.file(folder)).sorted()
        #expect(
            names == [
                "README.html", "case.jsonld", "checkpoint", "export.json", "files", "journal.ndjson", "log-key.pub",
                "manifest.json", "proofs",
            ])
    }

    /// Every 23rd byte here; all of them with VIGIE_LONG=1, as `script/soak journal` sets it.
    @Test("a changed byte is found, wherever it is")
    func everyByte() async throws {
        try await one.add(Array("log line\n".utf8), name: "access.log")
        try await one.add(Array("shell".utf8), name: "shell.php", isSuspicious: true)
        try await one.export()
        let whole = try one.read("out.tar")
        var tried = 0
        var found = 0
        let step = ProcessInfo.processInfo.environment["VIGIE_LONG"] == nil ? 23 : 1
        for position in stride(from: 0, to: whole.count, by: step) {
            for mask in (step == 1 ? [0x01, 0x80] : [0x01]) as [UInt8] {
                var bytes = whole
                bytes[position] ^= mask
                try one.write(bytes, to: "changed.tar")
                tried += 1
                if try !one.verify("changed.tar").problems.isEmpty {
                    found += 1
                } else {
                    Issue.record("byte \(position) ^ \(mask)")
                }
            }
        }
        #expect(found == tried)
        print("single-byte changes in an archive of \(whole.count) bytes: \(found) of \(tried) found")
    }

    /// The files of an archive, to be put together anew by an attacker.
    private func files(_ name: String = "out.tar") throws -> [(path: String, bytes: [UInt8])] {
        let reader = TarReader(try ByteFile.reading(one.file(name)))
        var files: [(path: String, bytes: [UInt8])] = []
        while let header = try reader.next() { files.append((header.path, try reader.contents(limit: 1 << 24))) }
        return files
    }

    private func pack(_ files: [(path: String, bytes: [UInt8])]) throws {
        try? FileManager.default.removeItem(atPath: one.file("forged.tar"))
        let tar = TarWriter(try ByteFile.creating(one.file("forged.tar")))
        for file in files { try tar.add(file.path, file.bytes) }
        try tar.finish()
    }

    private func index(_ suffix: String, in files: [(path: String, bytes: [UInt8])]) throws -> Int {
        try #require(files.firstIndex { $0.path.hasSuffix(suffix) })
    }

    @Test("a file left out, swapped, added or renamed is named")
    func swapped() async throws {
        try await one.fill()
        try await one.export()
        let files = try files()
        for number in files.indices where !files[number].path.hasSuffix("log-key.pub") {
            var fewer = files
            fewer.remove(at: number)
            try pack(fewer)
            #expect(try !one.verify("forged.tar").problems.isEmpty, "without \(files[number].path)")
        }
        let log = try index("access.log", in: files)
        let processes = try index("ps.txt", in: files)
        var swapped = files
        swapped[log].bytes = files[processes].bytes
        swapped[processes].bytes = files[log].bytes
        try pack(swapped)
        let problems = try one.verify("forged.tar").problems
        #expect(problems.contains { $0.file.hasSuffix("access.log") } && problems.contains { $0.file.hasSuffix("ps.txt") })
        try pack(files + [(files[0].path.replacingOccurrences(of: "manifest.json", with: "files/extra"), [1])])
        #expect(try one.verify("forged.tar").problems.map(\.file) == ["files/extra"])
        try pack(files + [("elsewhere/file", [1])])
        #expect(try one.verify("forged.tar").problems.map(\.file) == ["elsewhere/file"])
    }

    @Test(
        "a slice of nothing but faults ends with the problem that is one too many, and the rest of the archive is still checked")
    func faultySlice() async throws {
        try await one.fill()
        try await one.export()
        var files = try files()
        let slice = try index("journal.ndjson", in: files)
        files[slice].bytes += [UInt8](repeating: 0x0A, count: 1000) + Array(String(repeating: "x\n", count: 20_000).utf8) + [0x78]
        try pack(files)
        let report = try one.verify("forged.tar")
        #expect(report.problems.count == 1000)
        #expect(report.entryCount == 6)
        #expect(Set(report.items.map(\.name)) == ["access.log", "ps.txt", "shell.php"])
    }

    @Test("a manifest that lies, in its own canonical form, is not believed")
    func manifestLies() async throws {
        try await one.fill()
        try await one.export()
        let files = try files()
        func lie(_ change: (String) -> String) throws -> [String] {
            var forged = files
            forged[0].bytes = Array(change(String(decoding: files[0].bytes, as: UTF8.self)).utf8)
            #expect(forged[0].bytes != files[0].bytes)
            try pack(forged)
            return try one.verify("forged.tar").problems.map(\.description)
        }
        #expect(
            try lie { $0.replacingOccurrences(of: "TLP:AMBER", with: "TLP:CLEAR") }.contains {
                $0.contains("must not be in an archive")
            })
        #expect(
            try lie { $0.replacingOccurrences(of: "the auditor", with: "the press") }.contains {
                $0.contains("not the manifest that was recorded")
            })
        // A second name in an object, which some readers take for the first and some for the last.
        #expect(
            try lie {
                $0.replacingOccurrences(of: "{\"exported_at\"", with: "{\"exported_at\":\"2020-01-01T00:00:00Z\",\"exported_at\"")
            }
            .contains { $0.contains("no JSON") })
        #expect(try lie { " " + $0 }.contains { $0.contains("canonical") })
    }

    @Test("signed by another key of the same name, or checked with another key, nothing holds")
    func keys() async throws {
        try await one.fill()
        try await one.export()
        let other = try NoteSigner(kind: .ed25519) { _ in one.signer.key.name }
        let problems = try one.verify(key: other.key).problems
        #expect(problems.contains { $0.file == "log-key.pub" })
        #expect(problems.contains { $0.file == "checkpoint" })
        #expect(problems.contains { $0.file.hasPrefix("proofs/") })
    }

    @Test("vouched for by a witness: the cosignature travels along, and one that is missing is named")
    func witness() async throws {
        try await one.fill()
        try await one.tree.publish()
        let cosigner = try NoteSigner(kind: .cosignature) { _ in "witness.example/w" }
        try FileManager.default.createDirectory(atPath: one.file("drop"), withIntermediateDirectories: true)
        let drop = WitnessDrop(directory: one.file("drop"))
        let reader = TreeReader(journal: one.journal.directory)
        _ = try drop.ask(#require(try reader.checkpoint(key: one.signer.key)), oldSize: 0, reader: reader)
        let witness = try Witness(signer: cosigner, logs: [one.signer.key], directory: one.file("witness"))
        _ = try drop.answer(with: witness, at: 1_790_000_000)
        _ = try drop.collect(journal: one.journal.directory, log: one.signer.key, witness: cosigner.key)
        try await one.export()
        let report = try one.verify(witnesses: [cosigner.key])
        #expect(report.problems == [])
        #expect(report.cosigners == [cosigner.key])
        let absent = try NoteSigner(kind: .cosignature) { _ in "witness.example/absent" }
        #expect(try one.verify(witnesses: [absent.key]).problems.map(\.file) == ["vouched"])
    }
}
