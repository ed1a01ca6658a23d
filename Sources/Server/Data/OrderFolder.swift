import Events
import Evidence
import Foundation
import Journal
import Logging

/// A folder that only Vigie's user can write: commands leave orders in it, the server carries them out, and leaves the answers there.
///
/// An order has an id of its own: carried out twice, because a server died before it could answer, whoever carries it out can tell.
package struct OrderFolder: Sendable {
    private static let maximumBytes = 262_144
    /// Seconds. Longer than anybody waits: an answer may hold a secret, which must not lie there.
    private static let answerLife = 120.0

    private let directory: String

    init(_ directory: String) { self.directory = directory }

    /// - Returns: `nil` when there is no answer in time; the order is taken back then, unless it is being carried out.
    func ask(_ order: JSONValue, id: String, seconds: Int) async throws -> JSONValue? {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let path = "\(directory)/\(id)"
        try put(try order.canonicalBytes(), at: path + ".order", beside: path + ".new")
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

    /// Carries out what waits, oldest first. What is refused is answered with the refusal.
    ///
    /// - Parameter failureAdvice: what whoever asked is told to do where Vigie fails at an order.
    func serve(
        logger: Logger, failureAdvice: String = "the server's log says more",
        _ carryOut: (_ id: String, _ order: JSONValue) async throws -> JSONValue
    ) async throws {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else { return }
        for name in names where name.hasSuffix(".answer") && -age(name).timeIntervalSinceNow > Self.answerLife {
            unlink("\(directory)/\(name)")
        }
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
            let id = String(name.dropLast(".order".count))
            let answer: JSONValue
            do {
                answer = try await carryOut(id, order)
            } catch let refusal as any OrderRefusing {
                answer = AnsweredRefusal(refusal).document
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                // Whoever asked is told, and whoever waits behind is not made to wait.
                logger.error("order \(id) cannot be carried out: \(error)")
                let reason = "the order cannot be carried out: \(error)"
                answer = AnsweredRefusal(code: "failed", reason: reason, advice: failureAdvice).document
            }
            // Without an answer the command says that none came; the order is done all the same.
            do {
                try put(try answer.canonicalBytes(), at: base + ".answer", beside: base + ".written")
            } catch {
                logger.warning("the answer to an order cannot be left in \(directory): \(error)")
            }
            unlink(path)
        }
    }

    /// Removes what nobody fetches any more: answers to commands that had given up, and beginnings. To be called at the start, when no
    /// order is being carried out.
    ///
    /// - Parameter now: an answer younger than a minute may still be waited for.
    func sweep(now: Timestamp) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        where [".answer", ".written", ".new"].contains(where: name.hasSuffix) {
            guard now.nanoseconds - Int64(age(name).timeIntervalSince1970 * 1_000_000_000) > 60_000_000_000 else { continue }
            unlink("\(directory)/\(name)")
        }
    }

    /// A file that is there whole or not at all, whatever happens to the machine.
    private func put(_ bytes: [UInt8], at path: String, beside temporary: String) throws {
        // Left by a process that died over the same order.
        unlink(temporary)
        let file = try ByteFile.creating(temporary)
        try file.write(bytes)
        try file.synchronise()
        try DurableName.rename(temporary, to: path, in: directory)
    }

    private func age(_ name: String) -> Date {
        let attributes = try? FileManager.default.attributesOfItem(atPath: "\(directory)/\(name)")
        return attributes?[.modificationDate] as? Date ?? .distantPast
    }
}
