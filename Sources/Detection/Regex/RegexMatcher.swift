/// Runs one regex over inputs, with the memory that this needs.
///
/// Owned by one engine on one thread: a copy is correct but begins to diverge, and pays for the copy. The deterministic
/// automaton is built as inputs ask for it; once its states exist, a match allocates nothing. When the states reach
/// `cacheLimit` they are forgotten; when that happens too often to pay, the rest of the input is simulated without
/// them, in time that is still linear.
package struct RegexMatcher {
    /// The memory for states of one matcher, in bytes; ordinary rules need a hundredth of it.
    package static let defaultCacheLimit = 1 << 20
    /// A state must serve this many bytes on average before the states may be forgotten and built anew.
    private static let bytesPerState = 10

    private let program: RegexProgram
    private let cacheLimit: Int
    private var cache: RegexStateCache
    private var simulation: RegexSimulation
    private var scannedBytes = 0
    /// Bytes read since the states were last forgotten.
    private var bytesSinceReset = 0
    /// How often the states were forgotten, for tests.
    package private(set) var resets = 0

    /// - Parameter cacheLimit: the memory for states, in bytes.
    package init(_ regex: BoundedRegex, cacheLimit: Int = RegexMatcher.defaultCacheLimit) {
        program = regex.program
        self.cacheLimit = cacheLimit
        cache = RegexStateCache(columns: program.classes.columns)
        simulation = RegexSimulation(program)
    }

    /// Work done so far: bytes looked at and automaton nodes visited. Grows linearly with the input for every pattern.
    package var steps: Int { scannedBytes + simulation.steps }

    /// The memory that states take now, in bytes, for tests and metrics.
    package var stateBytes: Int { cache.size }

    /// Whether a part of `input[range]` matches; the range counts as a whole input, for anchors too.
    package mutating func matches(_ input: Span<UInt8>, in range: Range<Int>) -> Bool {
        matches(input.extracting(range))
    }

    /// Whether a part of the input matches. Stops at the first match.
    package mutating func matches(_ input: Span<UInt8>) -> Bool {
        // The line feed that ends the input has a column of its own, so the scan stops before it.
        let endsLine = program.knowsFinalNewline && !input.isEmpty && input[input.count - 1] == 0x0A
        let end = endsLine ? input.count - 1 : input.count
        var index = 0
        defer {
            scannedBytes &+= index
            bytesSinceReset &+= index
        }
        var state = cache.start
        if state == RegexStateCache.unknown {
            guard let start = firstState(at: index) else { return simulate(input, from: &index, to: end) }
            state = start
        }
        guard state > RegexStateCache.matched else { return state == RegexStateCache.matched }

        while true {
            index = scan(input, from: index, to: end, state: &state)
            let (column, width) = unit(of: input, at: index, end: end)
            var target = cache.transitions[Int(state) + column]
            if target == RegexStateCache.unknown {
                guard let built = nextState(from: state, column: column, at: index) else {
                    index += width
                    return simulate(input, from: &index, to: end)
                }
                target = built
            }
            if target <= RegexStateCache.matched { return target == RegexStateCache.matched }
            state = target
            index += width
        }
    }

    /// Follows known transitions.
    ///
    /// - Returns: where the scan stopped: at `end`, or at a unit whose transition is unknown or ends the search.
    private func scan(_ input: Span<UInt8>, from start: Int, to end: Int, state: inout UInt32) -> Int {
        let table = cache.transitions.span
        let classOfByte = program.classes.ofByte
        let classes = classOfByte.span
        var index = start
        var row = Int(state)
        while index < end {
            let byte = input[index]
            let target = table[row + Int(classes[Int(byte)])]
            if target > RegexStateCache.matched {
                row = Int(target)
                index += 1
                continue
            }
            // Bytes beyond ASCII always come here: column 0 has no transitions.
            guard byte >= 0x80 else { break }
            let (unit, width) = decode(input, at: index)
            let wide = table[row + program.classes.of(unit)]
            guard wide > RegexStateCache.matched else { break }
            row = Int(wide)
            index += width
        }
        state = UInt32(row)
        return index
    }

    /// The column of what stands at `index`, and its length in bytes.
    private func unit(of input: Span<UInt8>, at index: Int, end: Int) -> (column: Int, width: Int) {
        if index == input.count { return (program.classes.end, 0) }
        if index == end { return (program.classes.finalNewline, 1) }
        let byte = input[index]
        if byte < 0x80 { return (Int(program.classes.ofByte[Int(byte)]), 1) }
        let (unit, width) = decode(input, at: index)
        return (program.classes.of(unit), width)
    }

    /// `nil` if no state may be added.
    private mutating func firstState(at index: Int) -> UInt32? {
        let state = keep(simulation.begin(), at: index)
        if let state { cache.start = state }
        return state
    }

    /// `nil` if no state may be added; the simulation then stands behind the unit.
    private mutating func nextState(from state: UInt32, column: Int, at index: Int) -> UInt32? {
        let (kernel, context) = cache.state(at: state)
        simulation.restore(kernel, context: context)
        let before = resets
        let target = keep(simulation.advance(column), at: index)
        // After a reset the state that we came from is gone.
        if let target, before == resets { cache.setTransition(from: state, column: column, to: target) }
        return target
    }

    private mutating func keep(_ outcome: RegexSimulation.Outcome, at index: Int) -> UInt32? {
        switch outcome {
        case .matched: return RegexStateCache.matched
        case .dead: return RegexStateCache.dead
        case .goesOn: break
        }
        let context = simulation.context
        if let state = cache.offset(of: simulation.current, context: context, limit: cacheLimit) { return state }
        guard bytesSinceReset + index >= cache.count * Self.bytesPerState else { return nil }
        // What `matches` adds on its way out must not count the bytes before this reset again.
        bytesSinceReset = -index
        resets += 1
        cache.removeAll()
        return cache.offset(of: simulation.current, context: context, limit: cacheLimit)
    }

    /// Reads the rest of the input without building states.
    private mutating func simulate(_ input: Span<UInt8>, from index: inout Int, to end: Int) -> Bool {
        while true {
            let (column, width) = unit(of: input, at: index, end: end)
            switch simulation.advance(column) {
            case .matched: return true
            case .dead: return false
            case .goesOn: index += width
            }
        }
    }
}
