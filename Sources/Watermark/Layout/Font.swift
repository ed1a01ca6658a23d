/// What is needed of a font to place words: how its strings split into codes, how wide they are, and which of them are blank.
struct Font {
    /// Of one code in a string: 1 for simple fonts, 2 for composite ones.
    let codeLength: Int
    /// In thousandths of text space, by code (simple fonts) or CID (composite fonts, whose code is the CID).
    private let widths: [Int: Double]
    private let defaultWidth: Double
    private let unicode: [Int: UInt32]
    /// False where words cannot be placed: vertical writing, glyphs drawn by procedures, encodings that are not read.
    let isPlaceable: Bool
    /// The font that OCR programs set invisible text with, beneath the picture of a page.
    let isHiddenText: Bool

    static let none = Font(
        codeLength: 1, widths: [:], defaultWidth: 0, unicode: [:], isPlaceable: false, isHiddenText: false)

    private init(
        codeLength: Int, widths: [Int: Double], defaultWidth: Double, unicode: [Int: UInt32], isPlaceable: Bool,
        isHiddenText: Bool
    ) {
        self.codeLength = codeLength
        self.widths = widths
        self.defaultWidth = defaultWidth
        self.unicode = unicode
        self.isPlaceable = isPlaceable
        self.isHiddenText = isHiddenText
    }

    init(_ object: PDFObject) {
        let subtype = object["/Subtype"].nameText ?? ""
        let baseName = object["/BaseFont"].nameText ?? ""
        isHiddenText = ["HiddenHorzOCR", "GlyphLessFont", "HiddenOCR"].contains { baseName.contains($0) }
        let map = object["/ToUnicode"]
        unicode = map.isStream ? CharacterMap.read(map.streamBytes) : [:]
        if subtype == "/Type0" {
            let encoding = object["/Encoding"].nameText
            let descendant = object["/DescendantFonts"][0]
            codeLength = 2
            isPlaceable = encoding == "/Identity-H" && descendant.isDictionary
            defaultWidth = descendant["/DW"].number ?? 1000
            widths = Self.compositeWidths(descendant["/W"])
        } else {
            codeLength = 1
            isPlaceable = subtype != "/Type3" && (subtype == "/Type1" || subtype == "/TrueType" || subtype == "/MMType1")
            let given = Self.simpleWidths(object)
            widths = given.isEmpty ? StandardFontWidths.widths(ofFontNamed: baseName) : given
            defaultWidth = object["/FontDescriptor"]["/MissingWidth"].number ?? (baseName.contains("Courier") ? 600 : 0)
        }
    }

    private static func simpleWidths(_ object: PDFObject) -> [Int: Double] {
        guard let first = object["/FirstChar"].integer, (0...255).contains(first) else { return [:] }
        let array = object["/Widths"]
        var widths: [Int: Double] = [:]
        for index in 0..<min(array.count, 256 - first) {
            if let width = array[index].number { widths[first + index] = width }
        }
        return widths
    }

    /// `c [w1 w2 …]` and `first last w` (ISO 32000-1 §9.7.4.3).
    private static func compositeWidths(_ array: PDFObject) -> [Int: Double] {
        var widths: [Int: Double] = [:]
        var index = 0
        let count = array.count
        while index + 1 < count, widths.count <= 65_536 {
            guard let first = array[index].integer, (0...65_535).contains(first) else { break }
            let second = array[index + 1]
            if second.isArray {
                for offset in 0..<min(second.count, 65_536 - first) {
                    if let width = second[offset].number { widths[first + offset] = width }
                }
                index += 2
            } else {
                guard let last = second.integer, let width = array[index + 2].number, first <= last else { break }
                for code in first...min(last, 65_535) { widths[code] = width }
                index += 3
            }
        }
        return widths
    }

    /// In text space units for a font of size 1.
    func width(_ code: Int) -> Double { (widths[code] ?? defaultWidth) / 1000 }

    func isBlank(_ code: Int) -> Bool {
        if let scalar = unicode[code] {
            return scalar == 0x20 || scalar == 0xA0 || scalar == 0x3000 || (0x2000...0x200B).contains(scalar)
        }
        return codeLength == 1 && code == 0x20
    }

    /// The character that a code stands for; a simple font without a map is taken as Latin.
    func scalar(_ code: Int) -> UInt32 {
        unicode[code] ?? (codeLength == 1 ? UInt32(truncatingIfNeeded: code) : 0)
    }
}
