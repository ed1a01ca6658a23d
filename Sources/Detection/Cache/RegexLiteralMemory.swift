/// The required literals of regular expressions, as they were found once: see `BoundedRegex.requiredLiterals`.
struct RegexLiteralMemory {
    struct Key: Hashable {
        var pattern: String
        var options: UInt8
    }

    /// Empty for an expression that needs none.
    private let known: [Key: [[UInt8]]]
    /// Those asked for, and what was said.
    private(set) var used: [Key: [[UInt8]]] = [:]
    /// One that was not known was asked for.
    private(set) var hasGrown = false

    init(known: [Key: [[UInt8]]] = [:]) {
        self.known = known
    }

    /// Compiles an expression; its literals are sought only where they are not known.
    mutating func compile(_ pattern: String, _ options: BoundedRegex.Options) throws(RegexError) -> BoundedRegex {
        let key = Key(pattern: pattern, options: options.rawValue)
        if let literals = known[key] {
            used[key] = literals
            return try BoundedRegex(pattern, options: options, literals: literals.isEmpty ? nil : literals)
        }
        let regex = try BoundedRegex(pattern, options: options)
        used[key] = regex.requiredLiterals ?? []
        hasGrown = true
        return regex
    }
}
