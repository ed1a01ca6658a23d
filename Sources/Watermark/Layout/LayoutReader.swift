/// Reads where words stand, by carrying out the operators of content streams that concern text.
///
/// Not read: text in patterns, annotations and Type 3 glyphs, and fonts that ``Font/isPlaceable`` excludes.
package struct LayoutReader: ~Copyable {
    private let document: PDFDocument
    private let limits: LayoutLimits
    private var layout = TextLayout()
    private var glyphs = 0
    private var operations = 0

    private var fonts: [Int: Font] = [:]
    private var activeForms: [Int] = []
    /// Streams of forms that were met, by object number.
    private var formStreams: [Int: Int] = [:]
    private var formCarriers: [FormWord: Int] = [:]

    private struct FormWord: Hashable {
        var stream: Int
        var operation: Int
        var glyph: Int
    }

    package static func read(_ document: PDFDocument, limits: LayoutLimits = LayoutLimits()) throws(WatermarkError) -> TextLayout
    {
        var reader = LayoutReader(document, limits)
        for index in 0..<document.pageCount { try reader.readPage(index) }
        return reader.layout
    }

    private init(_ document: PDFDocument, _ limits: LayoutLimits) {
        self.document = document
        self.limits = limits
    }

    private mutating func readPage(_ index: Int) throws(WatermarkError) {
        guard index < limits.pages else {
            throw .badInput("The document has more than \(limits.pages) pages. Split it.")
        }
        guard let page = document.page(index) else {
            layout.pages.append(PageLayout(box: Box(minX: 0, minY: 0, maxX: 612, maxY: 792), rotation: 0))
            return
        }
        layout.pages.append(PageLayout(box: Self.mediaBox(page), rotation: Self.rotation(page)))
        let bytes = document.content(ofPage: page)
        layout.streams.append(ContentStream(owner: .page(index), bytes: bytes))
        var interpreter = ContentInterpreter(
            resources: page.inherited("/Resources"), transformation: .identity, stream: layout.streams.count - 1, records: true)
        try run(&interpreter, bytes)
    }

    static func mediaBox(_ page: PDFObject) -> Box {
        let array = page.inherited("/MediaBox")
        let numbers = (0..<4).compactMap { array[$0].number }
        guard numbers.count == 4 else { return Box(minX: 0, minY: 0, maxX: 612, maxY: 792) }
        let box = Box(
            minX: min(numbers[0], numbers[2]), minY: min(numbers[1], numbers[3]), maxX: max(numbers[0], numbers[2]),
            maxY: max(numbers[1], numbers[3]))
        return box.width > 0 && box.height > 0 ? box : Box(minX: 0, minY: 0, maxX: 612, maxY: 792)
    }

    static func rotation(_ page: PDFObject) -> Int {
        let value = (page.inherited("/Rotate").integer ?? 0) % 360
        let positive = value < 0 ? value + 360 : value
        return positive % 90 == 0 ? positive : 0
    }

    // MARK: - Streams

    private mutating func run(_ interpreter: inout ContentInterpreter, _ bytes: [UInt8]) throws(WatermarkError) {
        var tokenizer = ContentTokenizer(bytes.span)
        while let token = tokenizer.next() {
            guard case .keyword = token.kind else {
                interpreter.push(token, tokenizer)
                continue
            }
            operations += 1
            guard operations <= limits.operations else {
                throw .badInput(
                    "The document's pages are more complex than is read here (\(limits.operations) operators). Simplify it.")
            }
            switch bytes[token.range].keyword {
            case .show(let kind):
                try show(kind, until: token.range.upperBound, &interpreter)
            case .draw:
                if let name = interpreter.nameOperand(bytes) { try draw(name, &interpreter) }
            case .font:
                if let name = interpreter.nameOperand(bytes) { setFont(name, &interpreter) }
            case .other(let code): interpreter.apply(code)
            }
            interpreter.clear(after: token.range.upperBound)
        }
        finishWord(&interpreter)
    }

    private mutating func setFont(_ name: String, _ interpreter: inout ContentInterpreter) {
        interpreter.state.text.size = interpreter.number(0) ?? 0
        if let known = interpreter.fonts[name] {
            interpreter.state.text.font = known
            return
        }
        let object = interpreter.resources["/Font"][name]
        let font: Font
        if object.id != 0, let known = fonts[object.id] {
            font = known
        } else {
            font = object.isDictionary ? Font(object) : .none
            if object.id != 0 { fonts[object.id] = font }
        }
        interpreter.fonts[name] = font
        interpreter.state.text.font = font
    }

    private mutating func draw(_ name: String, _ interpreter: inout ContentInterpreter) throws(WatermarkError) {
        let object = interpreter.resources["/XObject"][name]
        guard object.isStream else { return }
        switch object["/Subtype"].nameText {
        case "/Image":
            let page = layout.pages.count - 1
            let matrix = interpreter.state.transformation
            let box = layout.pages[page].box
            let share = abs(matrix.a * matrix.d - matrix.b * matrix.c) / (box.width * box.height)
            layout.pages[page].pictureCoverage = max(layout.pages[page].pictureCoverage, min(share, 1))
            note(PlacedPicture(id: object.id, matrix: matrix, share: share), on: page)
        case "/Form":
            // A form that is not an object of its own, or shows itself, shows nothing.
            guard object.id != 0, !activeForms.contains(object.id), activeForms.count < limits.formDepth else { return }
            finishWord(&interpreter)
            activeForms.append(object.id)
            defer { activeForms.removeLast() }
            let own = object["/Resources"]
            let matrix = Matrix(object["/Matrix"]) ?? .identity
            let known = formStreams[object.id]
            let stream = known ?? layout.streams.count
            if known == nil {
                layout.streams.append(ContentStream(owner: .form(object.id), bytes: object.streamBytes))
                formStreams[object.id] = stream
            }
            var inner = ContentInterpreter(
                resources: own.isDictionary ? own : interpreter.resources,
                transformation: matrix.then(interpreter.state.transformation), stream: stream, records: known == nil)
            inner.state.text = interpreter.state.text
            try run(&inner, layout.streams[stream].bytes)
        default: break
        }
    }

    private mutating func note(_ picture: PlacedPicture, on page: Int) {
        guard picture.share.isFinite, picture.share > 0 else { return }
        if let known = layout.pages[page].pictures.firstIndex(where: { $0.id == picture.id }) {
            if layout.pages[page].pictures[known].share < picture.share { layout.pages[page].pictures[known] = picture }
        } else if layout.pages[page].pictures.count < limits.pictures {
            layout.pages[page].pictures.append(picture)
        }
    }

    // MARK: - Text

    private mutating func show(
        _ kind: ShowOperation.Operator, until end: Int, _ interpreter: inout ContentInterpreter
    ) throws(WatermarkError) {
        switch kind {
        case .show: break
        case .nextLine: interpreter.nextLine()
        case .nextLineWithSpacing:
            interpreter.setSpacing()
            interpreter.nextLine()
        }
        let operation = interpreter.operationIndex
        interpreter.operationIndex += 1
        if interpreter.records {
            layout.streams[interpreter.stream].operations.append(
                ShowOperation(kind: kind, range: interpreter.operandStart..<end))
        }
        let text = interpreter.state.text
        let matrix = interpreter.textMatrix.then(interpreter.state.transformation)
        let length = (matrix.a * matrix.a + matrix.b * matrix.b).squareRoot()
        let heightScale = (matrix.c * matrix.c + matrix.d * matrix.d).squareRoot()
        let em = abs(text.size * text.horizontalScale) * length
        // Text written against its own direction is not moved: a shift would go the other way.
        let places =
            text.font.isPlaceable && !text.isInvisible && em > 0 && em.isFinite && text.size * text.horizontalScale > 0
            && heightScale > 0
        var tx = 0.0
        var strings: Int32 = 0
        var index = 0
        for operand in interpreter.operands {
            switch operand {
            case .number(let value):
                if kind == .show { tx -= value / 1000 * text.size * text.horizontalScale }
            case .string(let bytes):
                var offset = 0
                while offset + text.font.codeLength <= bytes.count {
                    let code = text.font.codeLength == 2 ? Int(bytes[offset]) << 8 | Int(bytes[offset + 1]) : Int(bytes[offset])
                    let blank = text.font.isBlank(code)
                    let advance = text.font.width(code) * text.size * text.horizontalScale
                    if blank || !places {
                        finishWord(&interpreter)
                        if !blank {
                            if text.isInvisible {
                                if interpreter.isStartOfHiddenWord { layout.hiddenWords += 1 }
                            } else {
                                layout.skippedCharacters += 1
                            }
                        }
                        interpreter.isStartOfHiddenWord = blank
                    } else {
                        let origin = matrix.apply(tx, text.rise)
                        let glyph = WordAssembler.Glyph(
                            x: origin.x, y: origin.y, directionX: matrix.a / length, directionY: matrix.b / length,
                            advance: advance * length, height: abs(text.size) * heightScale, em: em,
                            scalar: text.font.scalar(code))
                        if let word = interpreter.assembler.add(
                            glyph, stream: interpreter.stream, operation: operation, index: index)
                        {
                            place(word, interpreter)
                        }
                    }
                    if interpreter.records {
                        layout.streams[interpreter.stream].operations[operation].glyphs.append(
                            ShownGlyph(string: strings, offset: Int32(offset), carrier: -1))
                    }
                    index += 1
                    tx += advance + text.characterSpacing * text.horizontalScale
                    if text.font.codeLength == 1, code == 0x20 { tx += text.wordSpacing * text.horizontalScale }
                    offset += text.font.codeLength
                    glyphs += 1
                }
                strings += 1
            default: break
            }
            guard glyphs <= limits.glyphs else {
                throw .badInput("The document has more than \(limits.glyphs) characters. Split it.")
            }
        }
        interpreter.textMatrix = Matrix(1, 0, 0, 1, tx, 0).then(interpreter.textMatrix)
    }

    private mutating func finishWord(_ interpreter: inout ContentInterpreter) {
        if let word = interpreter.assembler.end() { place(word, interpreter) }
    }

    /// Numbers a word and notes which glyphs are its own.
    private mutating func place(_ word: WordAssembler.Word, _ interpreter: ContentInterpreter) {
        guard word.width >= 0.15 * word.height, word.height > 0, let first = word.pieces.first else { return }
        let key = FormWord(stream: first.stream, operation: first.operation, glyph: first.glyphs.lowerBound)
        let carrier: Int
        if interpreter.records {
            carrier = layout.carrierCount
            layout.carrierCount += 1
            if !activeForms.isEmpty { formCarriers[key] = carrier }
            for piece in word.pieces {
                for index in piece.glyphs {
                    layout.streams[piece.stream].operations[piece.operation].glyphs[index].carrier = Int32(carrier)
                }
            }
        } else if let known = formCarriers[key] {
            carrier = known
        } else {
            return
        }
        layout.pages[layout.pages.count - 1].words.append(
            PlacedWord(
                carrier: carrier, x: word.x, y: word.y, directionX: word.directionX, directionY: word.directionY,
                width: word.width,
                height: word.height, em: word.em, text: word.text))
    }
}
