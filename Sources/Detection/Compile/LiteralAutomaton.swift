/// Finds all of many literals in one pass: Aho and Corasick's automaton (1975) as a dense table over byte classes.
///
/// Letters are folded by the classes, so the text is read as it is. Rows are premultiplied, and states with output
/// stand at the end of the table, so that the inner loop is one load, one add, one compare per byte. Immutable; a class, so
/// that handing it around costs one reference count rather than one for each table.
final class LiteralAutomaton: Sendable {
    private let classOf: [UInt8]
    private let classCount: Int
    /// `table[state + class]` is the next state, times `classCount`.
    private let table: [UInt32]
    private let firstOutput: UInt32
    /// By state from `firstOutput` on: where its outputs begin in `outputs`; one more at the end.
    private let outputStart: [Int32]
    /// What the literals of a state stand for, suffixes included.
    private let outputs: [Int32]

    /// - Parameter literals: lower-case bytes, not empty, and what to report for each.
    init(_ literals: [(bytes: [UInt8], output: Int32)]) {
        var classOf = [UInt8](repeating: 0, count: 256)
        var classCount = 1
        for (bytes, _) in literals {
            for byte in bytes where classOf[Int(byte)] == 0 {
                classOf[Int(byte)] = UInt8(classCount)
                classCount += 1
            }
        }
        for letter in UInt8(ascii: "A")...UInt8(ascii: "Z") { classOf[Int(letter)] = classOf[Int(letter | 0x20)] }

        // The trie, row by row; 0 is the root and, as a target, "none".
        var next: [[Int32]] = [[Int32](repeating: 0, count: classCount)]
        var own: [Set<Int32>] = [[]]
        for (bytes, output) in literals {
            var state = 0
            for byte in bytes {
                let column = Int(classOf[Int(byte)])
                if next[state][column] == 0 {
                    next.append([Int32](repeating: 0, count: classCount))
                    own.append([])
                    next[state][column] = Int32(next.count - 1)
                }
                state = Int(next[state][column])
            }
            own[state].insert(output)
        }
        // Failure links, breadth first: a missing edge becomes that of the longest suffix.
        var fail = [Int](repeating: 0, count: next.count)
        var queue = next[0].filter { $0 != 0 }.map(Int.init)
        var head = 0
        while head < queue.count {
            let state = queue[head]
            head += 1
            own[state].formUnion(own[fail[state]])
            for column in 0..<classCount {
                let target = Int(next[state][column])
                let viaSuffix = next[fail[state]][column]
                if target == 0 {
                    next[state][column] = viaSuffix
                } else {
                    fail[target] = Int(viaSuffix)
                    queue.append(target)
                }
            }
        }
        // Silent states first.
        let order = next.indices.filter { own[$0].isEmpty } + next.indices.filter { !own[$0].isEmpty }
        var place = [Int](repeating: 0, count: next.count)
        for (position, state) in order.enumerated() { place[state] = position }
        var table: [UInt32] = []
        table.reserveCapacity(next.count * classCount)
        var outputStart: [Int32] = []
        var outputs: [Int32] = []
        for state in order {
            for target in next[state] { table.append(UInt32(place[Int(target)] * classCount)) }
            if !own[state].isEmpty {
                outputStart.append(Int32(outputs.count))
                outputs.append(contentsOf: own[state].sorted())
            }
        }
        firstOutput = UInt32((order.count - outputStart.count) * classCount)
        outputStart.append(Int32(outputs.count))
        self.classOf = classOf
        self.classCount = classCount
        self.table = table
        self.outputStart = outputStart
        self.outputs = outputs
    }

    /// Calls `report` for every occurrence of every literal in the range.
    @inline(__always)
    func scan(_ bytes: Span<UInt8>, _ range: Range<Int>, _ report: (Int32) -> Void) {
        let classes = self.classOf
        let rows = self.table
        let classOf = classes.span
        let table = rows.span
        var state: UInt32 = 0
        for index in range {
            state = table[Int(state) + Int(classOf[Int(bytes[index])])]
            if state >= firstOutput {
                let place = Int(state - firstOutput) / classCount
                for output in Int(outputStart[place])..<Int(outputStart[place + 1]) { report(outputs[output]) }
            }
        }
    }
}
