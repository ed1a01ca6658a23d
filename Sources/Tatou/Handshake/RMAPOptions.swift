import Foundation
import RMAP

/// Who may take part in RMAP, and what they get.
package struct RMAPOptions: Sendable {
    /// A folder with the server's private key in `server.asc` and each identity's public key in `clients/NAME.asc`; `.gpg` and `.pgp`
    /// are read, too.
    package var folder: String
    package var passphrase: String?
    /// The document of which copies are made.
    package var document: Int64
    package var method = "word-shift"
    /// For clients of the first protocol versions, which expect the link in the clear.
    package var answersInClear = false

    package init(folder: String, document: Int64) {
        self.folder = folder
        self.document = document
    }

    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    private static let extensions = ["asc", "gpg", "pgp"]

    /// - Throws: ``Failure``, whose description says what to do.
    func keys() async throws -> OpenPGPKeys {
        let files = FileManager.default
        let candidates = Self.extensions.map { "\(folder)/server.\($0)" }
        guard let path = candidates.first(where: files.fileExists), let server = files.contents(atPath: path) else {
            throw Failure(
                description: "\(folder) has no server.asc: put the server's private key there "
                    + "(gpg --armor --export-secret-keys NAME > \(folder)/server.asc)")
        }
        if let mode = try files.attributesOfItem(atPath: path)[.posixPermissions] as? Int, mode & 0o077 != 0 {
            throw Failure(description: "\(path) can be read by others: chmod 600 \(path)")
        }
        var clients: [String: [UInt8]] = [:]
        for name in (try? files.contentsOfDirectory(atPath: "\(folder)/clients"))?.sorted() ?? [] {
            guard let dot = name.lastIndex(of: "."), Self.extensions.contains(String(name[name.index(after: dot)...])),
                let key = files.contents(atPath: "\(folder)/clients/\(name)")
            else { continue }
            clients[String(name[..<dot])] = [UInt8](key)
        }
        do {
            return try await OpenPGPKeys(serverKey: [UInt8](server), passphrase: passphrase, clients: clients)
        } catch {
            throw Failure(description: "\(path): \(error.description)")
        }
    }
}
