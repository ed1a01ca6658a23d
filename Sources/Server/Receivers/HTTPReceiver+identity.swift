import Crypto
import HTTPTypes
import Hummingbird
import Ingest

/// By what a request is known again whose sender had no answer.
extension HTTPReceiver {
    private static let maximumKeyBytes = 255

    /// A digest of who sends, and of the content after decompression: gzip's header has the time of the attempt.
    ///
    /// - Returns: `nil` where the same again may be meant as more of the same: events that do not say when they happened, without an
    ///   `Idempotency-Key`.
    static func identity(of request: Request, _ content: [UInt8], _ lines: ReceivedLines) throws(HTTPRefusal) -> BatchIdentity? {
        func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { request.headers[$0] } }
        // draft-ietf-httpapi-idempotency-key-header.
        let key = header("Idempotency-Key")
        if let key, key.utf8.count > maximumKeyBytes {
            throw HTTPRefusal(.badRequest, "malformed", "an Idempotency-Key has at most \(maximumKeyBytes) bytes")
        }
        guard key != nil || lines.isRecognisable else { return nil }
        var hash = SHA256()
        // The last but one is Loki's tenant.
        for part in [header("Authorization"), header("X-Scope-OrgID"), key] {
            let bytes = Array((part ?? "").utf8)
            withUnsafeBytes(of: bytes.count.littleEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: bytes)
        }
        hash.update(data: content)
        return BatchIdentity(digest: hash.finalize())
    }
}
