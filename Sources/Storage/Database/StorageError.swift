/// What is wrong with a database file, and what can be done. Nothing is ever overwritten on the way.
package struct StorageError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case damaged, newer, unavailable
        /// An earlier entry never reached the tables.
        case behind
    }

    package var code: Code
    package var path: String
    package var reason: String
    package var advice: String

    package var description: String { "\(path): \(reason); \(advice)" }
}
