/// Runs the automaton on sets of nodes, one unit at a time, and computes what the lazily built table then remembers.
///
/// Every step costs at most the number of nodes, so a run is linear in the input. No allocation after `init`.
struct RegexSimulation {
    enum Outcome {
        case goesOn
        /// A match ends at or before the place.
        case matched
        /// No continuation can match.
        case dead
    }

    let program: RegexProgram
    /// The nodes at the place: sets to consume, and looks that wait for the unit ahead.
    private(set) var current: RegexStateSet
    /// What stands before the place; 0 unless a look waits.
    private(set) var context: UInt8 = 0
    private var next: RegexStateSet
    private var stack: [Int32]
    private var best: [Int32]
    /// Nodes visited so far: the unit in which tests measure work.
    private(set) var steps = 0

    init(_ program: RegexProgram) {
        self.program = program
        current = RegexStateSet(capacity: program.nodes.count)
        next = RegexStateSet(capacity: program.nodes.count)
        stack = [Int32](repeating: 0, count: program.nodes.count)
        best = [Int32](repeating: -1, count: program.chains.count)
    }

    /// Goes to the beginning of an input.
    mutating func begin() -> Outcome {
        current.removeAll()
        context = RegexProgram.Context.start
        if Self.close(&current, from: program.start, context: context, ahead: nil, program, &stack, &steps) {
            return .matched
        }
        return settle()
    }

    /// Goes to a place that was left earlier.
    mutating func restore(_ kernel: ArraySlice<Int32>, context: UInt8) {
        current.removeAll()
        self.context = context
        for node in kernel {
            _ = current.insert(node)
            if program.nodes[Int(node)].kind == .look { current.hasLooks = true }
        }
        steps += kernel.count
    }

    /// Consumes a unit of a column, or the end of the input.
    mutating func advance(_ column: Int) -> Outcome {
        if current.hasLooks {
            // Looks that this resolves may lead to further looks; those are decided on the spot.
            for index in 0..<current.count {
                let node = program.nodes[Int(current[index])]
                guard node.kind == .look, let look = RegexLook(rawValue: UInt8(node.argument)),
                    program.holds(look, context: context, ahead: column) == true
                else { continue }
                if Self.close(&current, from: node.next, context: context, ahead: column, program, &stack, &steps) {
                    return .matched
                }
            }
        }
        if column == program.classes.end { return .dead }

        next.removeAll()
        context = program.contexts[column]
        steps += current.count
        for index in 0..<current.count {
            let node = program.nodes[Int(current[index])]
            guard node.kind == .set, program.set(node.argument, holds: column) else { continue }
            if Self.close(&next, from: node.next, context: context, ahead: nil, program, &stack, &steps) {
                return .matched
            }
        }
        // The search is free to begin at every place.
        if Self.close(&next, from: program.start, context: context, ahead: nil, program, &stack, &steps) {
            return .matched
        }
        swap(&current, &next)
        return settle()
    }

    /// Adds a node and all that it leads to without consuming. True if that includes the match.
    private static func close(
        _ set: inout RegexStateSet, from node: Int32, context: UInt8, ahead: Int?,
        _ program: RegexProgram, _ stack: inout [Int32], _ steps: inout Int
    ) -> Bool {
        guard set.insert(node) else { return false }
        // A node is pushed once, when it is inserted: the stack cannot outgrow the number of nodes.
        stack[0] = node
        var depth = 1
        while depth > 0 {
            depth -= 1
            let number = stack[depth]
            let node = program.nodes[Int(number)]
            steps += 1
            switch node.kind {
            case .match:
                return true
            case .set:
                break
            case .fork:
                if set.insert(node.argument) {
                    stack[depth] = node.argument
                    depth += 1
                }
                if set.insert(node.next) {
                    stack[depth] = node.next
                    depth += 1
                }
            case .look:
                guard let look = RegexLook(rawValue: UInt8(node.argument)) else { break }
                switch program.holds(look, context: context, ahead: ahead) {
                case nil: set.hasLooks = true
                case true?:
                    if set.insert(node.next) {
                        stack[depth] = node.next
                        depth += 1
                    }
                case false?: break
                }
            }
        }
        return false
    }

    /// Leaves only the nodes that say something about the future, and of each chain only the one that covers the
    /// others.
    private mutating func settle() -> Outcome {
        let program = program
        let context = context
        for index in 0..<current.count {
            let chain = Int(program.nodes[Int(current[index])].chain)
            if chain >= 0 { best[chain] = -1 }
        }
        for index in 0..<current.count {
            let number = current[index]
            let chain = Int(program.nodes[Int(number)].chain)
            guard chain >= 0 else { continue }
            let known = best[chain]
            if known < 0 || (program.chains[chain] == .keepsLowest ? number < known : number > known) {
                best[chain] = number
            }
        }
        let best = best
        current.filter { number in
            let node = program.nodes[Int(number)]
            switch node.kind {
            case .fork, .match: return false
            case .set: return node.chain < 0 || best[Int(node.chain)] == number
            case .look:
                guard let look = RegexLook(rawValue: UInt8(node.argument)) else { return false }
                return program.holds(look, context: context, ahead: nil) == nil
            }
        }
        if !current.hasLooks { self.context = 0 }
        return current.count == 0 && !program.mayBeginLater ? .dead : .goesOn
    }
}
