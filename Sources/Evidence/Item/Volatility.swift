/// How soon it would have been gone (RFC 3227 §2.1): what goes first is collected first.
package enum Volatility: Int, CaseIterable, Comparable, Sendable {
    case registers = 1
    case memory = 2
    case temporaryFiles = 3
    case disk = 4
    case remoteLogs = 5
    case topology = 6
    case archive = 7

    package static func < (left: Volatility, right: Volatility) -> Bool { left.rawValue < right.rawValue }
}
