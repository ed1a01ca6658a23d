/// Turns a tree into an automaton, from its end to its beginning, so that every node knows where it leads when it is
/// made.
///
/// Recursion is bounded by the depth that the parser allows.
struct RegexCompiler {
    private var nodes: [RegexProgram.Node] = []
    private var chains: [RegexProgram.Chain] = []
    private var sets: [UnitSet] = []
    private var setNumbers: [UnitSet: Int32] = [:]

    static func compile(_ tree: RegexNode) throws(RegexError) -> RegexProgram {
        var compiler = RegexCompiler()
        let match = compiler.add(.match, argument: 0, next: -1)
        let start = compiler.compile(tree, next: match)
        guard
            let program = RegexProgram(
                nodes: compiler.nodes, start: start, chains: compiler.chains, sets: compiler.sets)
        else { throw RegexError(.tooLarge, at: 0, construct: "distinct character classes") }
        return program
    }

    private mutating func add(
        _ kind: RegexProgram.Node.Kind, argument: Int32, next: Int32, chain: Int32 = -1
    ) -> Int32 {
        nodes.append(RegexProgram.Node(kind: kind, argument: argument, next: next, chain: chain))
        return Int32(nodes.count - 1)
    }

    private mutating func number(of set: UnitSet) -> Int32 {
        if let number = setNumbers[set] { return number }
        let number = Int32(sets.count)
        sets.append(set)
        setNumbers[set] = number
        return number
    }

    /// - Parameter chain: for a single unit inside a repeat, the chain of its copies.
    /// - Returns: where the compiled tree begins.
    private mutating func compile(_ tree: RegexNode, next: Int32, chain: Int32 = -1) -> Int32 {
        switch tree {
        case .empty:
            return next
        case .set(let set):
            return add(.set, argument: number(of: set), next: next, chain: chain)
        case .look(let look):
            return add(.look, argument: Int32(look.rawValue), next: next)
        case .concatenation(let parts):
            return parts.reversed().reduce(next) { next, part in compile(part, next: next) }
        case .alternation(let branches):
            var entry = compile(branches[branches.count - 1], next: next)
            for branch in branches.dropLast().reversed() {
                let other = entry
                let begin = compile(branch, next: next)
                entry = add(.fork, argument: other, next: begin)
            }
            return entry
        case .repetition(let body, let minimum, let maximum):
            return compile(body, minimum: minimum, maximum: maximum, next: next)
        }
    }

    private mutating func compile(_ body: RegexNode, minimum: Int, maximum: Int?, next: Int32) -> Int32 {
        var copies = minimum
        var entry = next
        // Whether having seen more copies is never worse: the repeat has no upper end, or nothing follows it.
        var isOpen = nodes[Int(next)].kind == .match
        var chain: Int32 = -1
        if let maximum {
            if maximum > minimum {
                let chain = addChain(.keepsHighest, for: body)
                for _ in minimum..<maximum {
                    let begin = compile(body, next: entry, chain: chain)
                    entry = add(.fork, argument: next, next: begin)
                }
                isOpen = false
            }
            if isOpen { chain = addChain(.keepsLowest, for: body) }
        } else {
            chain = addChain(.keepsLowest, for: body)
            let loop = add(.fork, argument: next, next: -1)
            let begin = compile(body, next: loop, chain: chain)
            nodes[Int(loop)].next = begin
            entry = minimum == 0 ? loop : begin
            copies = max(0, minimum - 1)
        }
        for _ in 0..<copies {
            entry = compile(body, next: entry, chain: chain)
        }
        return entry
    }

    private mutating func addChain(_ chain: RegexProgram.Chain, for body: RegexNode) -> Int32 {
        guard body.isSet else { return -1 }
        chains.append(chain)
        return Int32(chains.count - 1)
    }
}
