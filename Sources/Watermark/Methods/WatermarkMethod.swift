/// A way to mark a document. Names are stable: stored versions refer to them.
package protocol WatermarkMethod: Sendable {
    var name: String { get }
    /// What it does, what it survives and what not, in a few sentences.
    var usage: String { get }

    func applicability(_ pdf: [UInt8]) throws(WatermarkError) -> Applicability

    /// The same for any document without signature; what depends on its words is ``WordShiftMethod/applicability(_:)-(TextLayout)``.
    var applicabilityOfUnsigned: Applicability { get }

    /// A marked copy. The same input gives the same copy, unless the method says otherwise in ``usage``.
    func embed(_ pdf: [UInt8], secret: String, key: String, position: String?) throws(WatermarkError) -> [UInt8]

    /// The secret that a copy carries. Methods that are read against the original throw ``WatermarkError/Code/notFound`` and say so.
    func extract(_ pdf: [UInt8], key: String) throws(WatermarkError) -> String
}

extension WatermarkMethod {
    /// A key as people type it, made one that is slow to guess; another one for each method.
    package func markingSecret(_ key: String) throws(WatermarkError) -> [UInt8] {
        try PasswordKey.derive(key, purpose: name)
    }

    /// Read against the original, and beside it by a token that says the same as long as nobody rewrites the copy.
    package var isTraced: Bool { self is WordShiftMethod || self is ImageSpreadMethod }

    /// Secrets and keys that are empty or too long are refused before anything is read.
    func check(secret: String, key: String) throws(WatermarkError) {
        guard !secret.isEmpty else { throw .badInput("The secret is empty. Give the text that the copy is to carry.") }
        guard secret.unicodeScalars.count <= 320 else { throw .badInput("The secret is longer than 320 characters. Shorten it.") }
        try check(key: key)
    }

    func check(key: String) throws(WatermarkError) {
        guard !key.isEmpty else {
            throw WatermarkError(.invalidKey, "The key is empty. Give the key that the copy is marked with.")
        }
        guard key.utf8.count <= 4096 else { throw WatermarkError(.invalidKey, "The key is longer than 4,096 bytes.") }
    }
}

package enum WatermarkMethods {
    package static let all: [any WatermarkMethod] = [
        WordShiftMethod(), ImageSpreadMethod(), SealedTokenMethod(), RobustXMPMethod(), VisibleStampMethod(), ToyEOFMethod(),
    ]

    package static func named(_ name: String) throws(WatermarkError) -> any WatermarkMethod {
        for method in all where method.name == name { return method }
        throw .badInput("There is no watermarking method of this name. There are: \(all.map(\.name).joined(separator: ", ")).")
    }
}
