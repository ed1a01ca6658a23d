/// Why a document could not be marked or read.
///
/// Codes follow the exit codes of the command line of the platform this is compatible with: 2 bad input, 3 nothing found,
/// 4 wrong key, 5 anything else.
package struct WatermarkError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Int32, Sendable {
        case badInput = 2
        case notFound = 3
        case invalidKey = 4
        case other = 5
    }

    package var code: Code
    /// What happened and what to do about it. Never holds a key, a secret or bytes of the document.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    package static func badInput(_ message: String) -> WatermarkError { WatermarkError(.badInput, message) }
    package static func notFound(_ message: String) -> WatermarkError { WatermarkError(.notFound, message) }
}
