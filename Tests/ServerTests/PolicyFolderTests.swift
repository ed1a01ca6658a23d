import Foundation
import Incidents
import Journal
import Testing

@testable import Server

@Suite("Policies that are named")
struct PolicyFolderTests {
    @Test("a folder that was named and is not there is an error; without a name there are none")
    func missing() throws {
        let error = #expect(throws: PolicyError.self) { try PolicyFolder.load("/nonexistent/policies") }
        #expect(error?.description.contains("/nonexistent/policies: there is no such folder") == true)
    }

    @Test("policies that are gone are journalled, so that the old hash is not believed for ever")
    func removed() async throws {
        let world = try World()
        let folder = world.path + "/policies"
        try "routes: {}\npolicies: {}\n".write(toFile: folder + "/escalation.yml", atomically: true, encoding: .utf8)
        try await withServer(world) { _ in }
        try FileManager.default.removeItem(atPath: folder + "/escalation.yml")
        try await withServer(world) { _ in }
        let hashes = try world.entries().filter { $0.type == "policies.loaded" }.map { $0.data["hash"] }
        #expect(hashes.count == 2 && hashes[0]?.stringValue?.count == 64 && hashes[1]?.stringValue == nil)
    }

    /// What is configured and left out of the record could be changed without a trace.
    @Test("every key of the configuration is in the record of it")
    func recorded() throws {
        let text = """
            listen: 127.0.0.1:9999
            data: /d
            rules: [/r]
            policies: /p
            sources: [/l]
            trusted_proxies: [10.0.0.0/8]
            evidence: {system_logs: [/s], upload_folders: [/u]}
            archive: {keep_days: 77}
            receivers: {http: {listen: "127.0.0.1:8631"}}
            console: {hosts: [h], behind_tls: true, behind_proxy: true}
            """
        let configuration = try Configuration(parsing: text, file: "c")
        let plain = ServerOptions().record
        for key in text.split(separator: "\n").compactMap({ $0.split(separator: ":").first }) {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(key + ":") })
            var options = ServerOptions()
            options.apply(try Configuration(parsing: String(line), file: "c"))
            #expect(options.record != plain, "\(key)")
        }
        var options = ServerOptions()
        options.apply(configuration)
        #expect(options.record != plain)
    }
}
