/// Writes a content stream anew with its words moved along the line; everything else stays byte for byte as it was.
enum ContentRewriter {
    /// `shifts` are by carrier, in thousandths of an em; positive moves along the direction of writing.
    ///
    /// A word is moved by a number before it and moved back by one after it, so that nothing else moves.
    static func rewrite(_ stream: ContentStream, shifts: [Double]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(stream.bytes.count + stream.bytes.count / 4)
        var copied = 0
        for operation in stream.operations where operation.glyphs.contains(where: { $0.carrier >= 0 }) {
            output.append(contentsOf: stream.bytes[copied..<operation.range.lowerBound])
            write(operation, stream.bytes, shifts, to: &output)
            copied = operation.range.upperBound
        }
        output.append(contentsOf: stream.bytes[copied...])
        return output
    }

    private static func write(_ operation: ShowOperation, _ bytes: [UInt8], _ shifts: [Double], to output: inout [UInt8]) {
        var tokenizer = ContentTokenizer(bytes.span, in: operation.range)
        var strings: Int32 = 0
        var numbers: [Double] = []
        var glyphs = operation.glyphs[...]
        var array = ArrayWriter()
        while let token = tokenizer.next() {
            switch token.kind {
            case .number(let value):
                if operation.kind == .show { array.add(number: value) } else { numbers.append(value) }
            case .string:
                let string = tokenizer.string(token.range)
                var written = 0
                while let glyph = glyphs.first, glyph.string == strings {
                    glyphs.removeFirst()
                    let shift = glyph.carrier >= 0 ? shifts[Int(glyph.carrier)] : 0
                    if shift != array.shift {
                        array.add(string: string[written..<Int(glyph.offset)])
                        written = Int(glyph.offset)
                        array.move(to: shift)
                    }
                }
                array.add(string: string[written...])
                strings += 1
            default: break
            }
        }
        array.move(to: 0)
        switch operation.kind {
        case .show: break
        case .nextLine: output.append(contentsOf: "T* ".utf8)
        case .nextLineWithSpacing:
            // The operator sets both spacings for what follows, too (ISO 32000-1 §9.4.3).
            if numbers.count >= 2 {
                ContentWriter.append(number: numbers[0], to: &output)
                output.append(contentsOf: " Tw ".utf8)
                ContentWriter.append(number: numbers[1], to: &output)
                output.append(contentsOf: " Tc ".utf8)
            }
            output.append(contentsOf: "T* ".utf8)
        }
        array.finish(to: &output)
    }

    /// The operand of `TJ`, with neighbouring numbers added up.
    private struct ArrayWriter {
        private var output: [UInt8] = [UInt8(ascii: "[")]
        private var pending = 0.0
        private(set) var shift = 0.0

        mutating func add(number: Double) { pending += number }

        /// Numbers are subtracted from the position: a shift forwards is a negative one.
        mutating func move(to shift: Double) {
            pending -= shift - self.shift
            self.shift = shift
        }

        mutating func add(string: ArraySlice<UInt8>) {
            guard !string.isEmpty else { return }
            flush()
            ContentWriter.append(string: string, to: &output)
        }

        private mutating func flush() {
            if abs(pending) >= 0.00005 { ContentWriter.append(number: pending, to: &output) }
            pending = 0
        }

        mutating func finish(to target: inout [UInt8]) {
            flush()
            output.append(contentsOf: "] TJ".utf8)
            target.append(contentsOf: output)
        }
    }
}
