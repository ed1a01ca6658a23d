/// The state of one content stream while it is read: graphics and text state, and operands of the operator to come.
struct ContentInterpreter {
    enum Operand {
        case number(Double)
        case string([UInt8])
        case name(Range<Int>)
    }

    enum Keyword {
        case show(ShowOperation.Operator)
        case draw
        case font
        /// The operator's letters, first one highest.
        case other(UInt32)
    }

    let resources: PDFObject
    let stream: Int
    /// False for a form that was read before: its words are found again, not counted again.
    let records: Bool
    var state: GraphicsState
    var textMatrix = Matrix.identity
    private var lineMatrix = Matrix.identity
    private var stack: [GraphicsState] = []
    var assembler = WordAssembler()
    var operationIndex = 0
    var isStartOfHiddenWord = true
    var fonts: [String: Font] = [:]

    private(set) var operands: [Operand] = []
    /// Where the first operand stands, or would.
    private(set) var operandStart = 0

    /// Nesting and operands beyond these are malformed, and cut off.
    private static let deepest = 512
    private static let mostOperands = 100_000

    init(resources: PDFObject, transformation: Matrix, stream: Int, records: Bool) {
        self.resources = resources
        self.stream = stream
        self.records = records
        state = GraphicsState(transformation: transformation)
    }

    mutating func push(_ token: ContentToken, _ tokenizer: borrowing ContentTokenizer) {
        guard operands.count < Self.mostOperands else { return }
        if !startsOperands {
            startsOperands = true
            operandStart = token.range.lowerBound
        }
        switch token.kind {
        case .number(let value): operands.append(.number(value))
        case .string: operands.append(.string(tokenizer.string(token.range)))
        case .name: operands.append(.name(token.range))
        default: break
        }
    }

    private var startsOperands = false

    mutating func clear(after end: Int) {
        operands.removeAll(keepingCapacity: true)
        startsOperands = false
        operandStart = end
    }

    func number(_ index: Int) -> Double? {
        var found = 0
        for operand in operands {
            guard case .number(let value) = operand else { continue }
            if found == index { return value }
            found += 1
        }
        return nil
    }

    /// With its slash; escapes are resolved.
    func nameOperand(_ bytes: [UInt8]) -> String? {
        for operand in operands {
            guard case .name(let range) = operand else { continue }
            var name: [UInt8] = []
            var index = range.lowerBound
            while index < range.upperBound {
                if bytes[index] == UInt8(ascii: "#"), index + 2 < range.upperBound,
                    let text = String(validating: bytes[(index + 1)...(index + 2)], as: UTF8.self),
                    let value = UInt8(text, radix: 16)
                {
                    name.append(value)
                    index += 3
                } else {
                    name.append(bytes[index])
                    index += 1
                }
            }
            return String(validating: name, as: UTF8.self)
        }
        return nil
    }

    private func matrixOperand() -> Matrix? {
        var values: [Double] = []
        for index in 0..<6 {
            guard let value = number(index) else { return nil }
            values.append(value)
        }
        return Matrix(values[0], values[1], values[2], values[3], values[4], values[5])
    }

    mutating func nextLine() { move(0, -state.text.leading) }

    private mutating func move(_ x: Double, _ y: Double) {
        lineMatrix = Matrix(1, 0, 0, 1, x, y).then(lineMatrix)
        textMatrix = lineMatrix
    }

    /// The first two operands of `"`.
    mutating func setSpacing() {
        state.text.wordSpacing = number(0) ?? 0
        state.text.characterSpacing = number(1) ?? 0
    }

    mutating func apply(_ code: UInt32) {
        switch code {
        case 0x71 /* q */: if stack.count < Self.deepest { stack.append(state) }
        case 0x51 /* Q */: if let saved = stack.popLast() { state = saved }
        case 0x636D /* cm */: if let matrix = matrixOperand() { state.transformation = matrix.then(state.transformation) }
        case 0x4254 /* BT */:
            textMatrix = .identity
            lineMatrix = .identity
        case 0x5464 /* Td */: move(number(0) ?? 0, number(1) ?? 0)
        case 0x5444 /* TD */:
            state.text.leading = -(number(1) ?? 0)
            move(number(0) ?? 0, number(1) ?? 0)
        case 0x546D /* Tm */:
            if let matrix = matrixOperand() {
                textMatrix = matrix
                lineMatrix = matrix
            }
        case 0x542A /* T* */: nextLine()
        case 0x5463 /* Tc */: state.text.characterSpacing = number(0) ?? 0
        case 0x5477 /* Tw */: state.text.wordSpacing = number(0) ?? 0
        case 0x547A /* Tz */: state.text.horizontalScale = (number(0) ?? 100) / 100
        case 0x544C /* TL */: state.text.leading = number(0) ?? 0
        case 0x5473 /* Ts */: state.text.rise = number(0) ?? 0
        case 0x5472 /* Tr */: state.text.renderMode = Int(min(max(number(0) ?? 0, 0), 7))
        default: break
        }
    }
}

extension ArraySlice<UInt8> {
    var keyword: ContentInterpreter.Keyword {
        guard count <= 3 else { return .other(0) }
        let code = reduce(0) { (code: UInt32, byte: UInt8) in code << 8 | UInt32(byte) }
        switch code {
        case 0x546A, 0x544A: return .show(.show)  // Tj, TJ
        case 0x27: return .show(.nextLine)
        case 0x22: return .show(.nextLineWithSpacing)
        case 0x446F: return .draw  // Do
        case 0x5466: return .font  // Tf
        default: return .other(code)
        }
    }
}
