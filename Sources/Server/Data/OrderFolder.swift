import Foundation
import Journal
import Logging

/// A folder that only Vigie's user can write: commands leave orders in it, the server carries them out, and leaves the answers there.
///
/// An order has an id of its own: carried out twice, because a server died before it could answer, whoever carries it out can tell.
struct OrderFolder: Sendable {
    private static let maximumBytes = 262_144

    private let directory: String

    init(_ directory: String) { self.directory = directory }

    /// - Returns: `nil` when there is no answer in time; the order is taken back then, unless it is being carried out.
    func ask(_ order: JSONValue, id: String, seconds: Int) async throws -> JSONValue? {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let path = "\(directory)/\(id)"
        guard
            FileManager.default.createFile(
                atPath: path + ".new", contents: Data(try order.canonicalBytes()), attributes: [.posixPermissions: 0o600])
        else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path]) }
        try FileManager.default.moveItem(atPath: path + ".new", toPath: path + ".order")
        for _ in 0..<seconds * 20 {
            if let data = FileManager.default.contents(atPath: path + ".answer") {
                unlink(path + ".answer")
                return try JSONValue(parsing: Array(data), limits: .init(depth: 32, bytes: 64 << 20))
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        unlink(path + ".order")
        return nil
    }

    /// Carries out what waits, oldest first.
    func serve(logger: Logger, _ carryOut: (_ id: String, _ order: JSONValue) async throws -> JSONValue) async throws {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else { return }
        for name in names.filter({ $0.hasSuffix(".order") }).sorted(by: { age($0) < age($1) }) {
            let path = "\(directory)/\(name)"
            let base = String(path.dropLast(".order".count))
            guard let data = FileManager.default.contents(atPath: path), data.count <= OrderFolder.maximumBytes,
                let order = try? JSONValue(parsing: Array(data)), order.objectValue != nil
            else {
                logger.warning("an order in \(directory) cannot be read; it is left out")
                unlink(path)
                continue
            }
            let answer = try await carryOut(String(name.dropLast(".order".count)), order)
            _ = FileManager.default.createFile(
                atPath: base + ".written", contents: Data(try answer.canonicalBytes()), attributes: [.posixPermissions: 0o600])
            rename(base + ".written", base + ".answer")
            unlink(path)
        }
    }

    private func age(_ name: String) -> Date {
        let attributes = try? FileManager.default.attributesOfItem(atPath: "\(directory)/\(name)")
        return attributes?[.modificationDate] as? Date ?? .distantPast
    }
}
