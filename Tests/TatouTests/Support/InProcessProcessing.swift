import Crypto
import Foundation
import Synchronization
import Watermark

@testable import Tatou

/// Documents read in the test's own process, of which the product has none. May be told to fail, or to hold a step up.
final class InProcessProcessing: DocumentProcessing {
    struct Script: Sendable {
        var inspectFailure: ProcessingFailure?
        var embedFailure: ProcessingFailure?
        var readFailure: ProcessingFailure?
        var isPolyglot = false
        var content: [ContentFinding] = []
        var traceFailure: ProcessingFailure?
        var traced = TraceVerdict()
        var inspected: [DocumentInspection.Method] = []
        var orders: [MarkingOrder] = []
        /// What is done before a copy is made, and after somebody looked at the original.
        var beforeEmbedding: (@Sendable () throws -> Void)?
    }

    let script = Mutex(Script())

    func methods() async throws(ProcessingFailure) -> [MarkingMethod] {
        WatermarkMethods.all.map { MarkingMethod(name: $0.name, usage: $0.usage) }
    }

    func inspect(_ file: StoredFile) async throws(ProcessingFailure) -> DocumentInspection {
        if let failure = script.withLock({ $0.inspectFailure }) { throw failure }
        do {
            let document = try DocumentDescription(Self.bytes(file))
            return DocumentInspection(
                pages: document.children.count, isSigned: document.signed, methods: script.withLock { $0.inspected },
                isPolyglot: script.withLock { $0.isPolyglot }, content: script.withLock { $0.content })
        } catch {
            throw Self.failure(error)
        }
    }

    func embed(
        _ order: MarkingOrder, in file: StoredFile, to destination: String
    ) async throws(ProcessingFailure) -> MarkedFile {
        script.withLock { $0.orders.append(order) }
        if let failure = script.withLock({ $0.embedFailure }) { throw failure }
        let beforehand = script.withLock { $0.beforeEmbedding }
        do {
            try beforehand?()
            let copy = try WatermarkMethods.named(order.method).embed(
                Self.bytes(file), secret: order.secret, key: order.key, position: order.position)
            guard FileManager.default.createFile(atPath: destination, contents: Data(copy)) else {
                throw ProcessingFailure(.unavailable, "cannot write")
            }
            let digest = SHA256.hash(data: copy).map { String($0, radix: 16).leftPadded }.joined()
            return MarkedFile(size: copy.count, sha256: digest)
        } catch {
            throw Self.failure(error)
        }
    }

    func readSecret(_ file: StoredFile, method: String, key: String) async throws(ProcessingFailure) -> String {
        if let failure = script.withLock({ $0.readFailure }) { throw failure }
        do {
            return try WatermarkMethods.named(method).extract(Self.bytes(file), key: key)
        } catch {
            throw Self.failure(error)
        }
    }

    func trace(_ file: StoredFile, among originals: [TraceableOriginal]) async throws(ProcessingFailure) -> TraceVerdict {
        if let failure = script.withLock({ $0.traceFailure }) { throw failure }
        return script.withLock { $0.traced }
    }

    /// What is open, whatever its name is by now.
    private static func bytes(_ file: StoredFile) -> [UInt8] {
        defer { withExtendedLifetime(file) {} }
        return [UInt8](FileManager.default.contents(atPath: "/proc/self/fd/\(file.descriptor)") ?? Data())
    }

    private static func failure(_ error: any Error) -> ProcessingFailure {
        switch error {
        case let failure as ProcessingFailure: failure
        case let error as WatermarkError:
            switch error.code {
            case .badInput: ProcessingFailure(.refused, error.message)
            case .notFound: ProcessingFailure(.notFound, error.message)
            case .invalidKey: ProcessingFailure(.invalidKey, error.message)
            case .other: ProcessingFailure(.crashed, error.message)
            }
        default: ProcessingFailure(.crashed, "unforeseen")
        }
    }
}

extension String {
    fileprivate var leftPadded: String { count < 2 ? "0" + self : self }
}
