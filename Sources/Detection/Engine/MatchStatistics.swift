/// How much work the engine did: for benchmarks, and to see what a rule costs.
package struct MatchStatistics: Sendable {
    package internal(set) var events = 0
    /// Values of fields that rules look at, equal places of one event counted once.
    package internal(set) var values = 0
    /// Values that had been seen before, so that nothing was looked for in them.
    package internal(set) var remembered = 0
    /// Literals found in values that had not.
    package internal(set) var literals = 0
    /// Regular expressions tried.
    package internal(set) var regexes = 0
    /// Rules evaluated in full, those without a necessary literal included.
    package internal(set) var candidates = 0
    package internal(set) var matches = 0
}
