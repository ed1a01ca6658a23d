import Crypto
import Foundation

/// ``WordShift`` behind the interface that all methods have: the key is the marking secret, the secret names the copy.
package struct WordShiftMethod: WatermarkMethod {
    package let name = "word-shift"
    package let usage = """
        Moves words by about a hundredth of their size; which word goes where names the copy. Survives rewriting, printing to PDF, \
        rendering, scanning and photographing pages of text. Does not survive recognition of the text (OCR), typing it again, or \
        copying it out. Read against the original: with tatou-wm trace, or extract --original --candidates.
        """

    package init() {}

    package func applicability(_ pdf: [UInt8]) throws(WatermarkError) -> Applicability {
        let document = try PDFDocument(pdf)
        if Signatures.areIn(document) { return .signed }
        return Self.applicability(try LayoutReader.read(document))
    }

    /// Nothing is said about documents whose words were not read.
    package var applicabilityOfUnsigned: Applicability { Applicability(strength: .none, notes: []) }

    package static func applicability(_ layout: TextLayout) -> Applicability {
        let perPage = layout.pages.map(\.words.count)
        let best = perPage.max() ?? 0
        var notes: [String] = []
        let strength: Applicability.Strength =
            switch best {
            case ..<40: .none
            case ..<120: .weak
            case ..<300: .fair
            default: .strong
            }
        switch strength {
        case .none: notes.append("There are too few words that can be moved: \(layout.carrierCount).")
        case .weak: notes.append("A clean copy of a page can be traced; a scan or photo of one may not be: pages have few words.")
        case .fair: notes.append("Copies, scans and photos of full pages can be traced; small cut-outs may not be.")
        case .strong: notes.append("Copies, scans and photos of pages can be traced, and cut-outs of about 150 words.")
        }
        let bare = perPage.count { $0 < 40 }
        if bare > 0, strength != .none {
            notes.append("\(bare) of \(perPage.count) pages have too few words to be traced alone.")
        }
        let scans = layout.pages.count { $0.pictureCoverage > 0.5 && $0.words.count < 40 }
        if scans > 0 { notes.append("\(scans) pages are pictures, as scans are: their words cannot be moved.") }
        if layout.hiddenWords > 0 { notes.append("Invisible text, as from OCR, is not counted.") }
        notes.append("Does not survive recognition of the text (OCR), typing it again, or copying it out.")
        return Applicability(strength: strength, carriers: layout.carrierCount, notes: notes)
    }

    package func embed(_ pdf: [UInt8], secret: String, key: String, position: String?) throws(WatermarkError) -> [UInt8] {
        try check(secret: secret, key: key)
        return try Self.embed(pdf, version: secret, markingSecret: try markingSecret(key))
    }

    /// A copy for `version`, marked under a secret of at least 16 bytes.
    package static func embed(
        _ pdf: [UInt8], version: String, markingSecret: [UInt8], amplitude: Double = WordShift.amplitude
    ) throws(WatermarkError) -> [UInt8] {
        let document = try PDFDocument(pdf)
        guard !Signatures.areIn(document) else {
            throw .badInput("The document is signed, and any mark would break its signature. Mark a copy without signature.")
        }
        let layout = try LayoutReader.read(document)
        let applicability = applicability(layout)
        guard applicability.isApplicable else { throw .badInput(applicability.notes.joined(separator: " ")) }
        let code = try code(pdf, layout, markingSecret)
        try WordShift.embed(document, layout, signs: code.signs(version: version), amplitude: amplitude)
        return try document.write()
    }

    /// The code of a document: of these very bytes.
    package static func code(
        _ pdf: [UInt8], _ layout: TextLayout, _ markingSecret: [UInt8]
    ) throws(WatermarkError) -> VersionCode {
        try code(of: digest(pdf), layout, markingSecret)
    }

    /// The same, by the document's ``digest(_:)``.
    static func code(
        of digest: [UInt8], _ layout: TextLayout, _ markingSecret: [UInt8]
    ) throws(WatermarkError) -> VersionCode {
        try VersionCode(secret: markingSecret, document: digest, places: layout.carrierCount)
    }

    static func digest(_ pdf: [UInt8]) -> [UInt8] { [UInt8](SHA256.hash(data: pdf)) }

    package func extract(_ pdf: [UInt8], key: String) throws(WatermarkError) -> String {
        throw .notFound("This mark is read against the original: use trace, or give the original and the candidates.")
    }
}
