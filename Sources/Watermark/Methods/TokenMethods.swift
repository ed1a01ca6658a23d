/// Tokens in several places of the file: a quick first look at a leak that nobody worked on.
package struct SealedTokenMethod: WatermarkMethod {
    package let name = "sealed-token"
    package let usage = """
        Writes the secret, sealed under the key, into the metadata and into private keys of every page; with position "text" also as \
        invisible text. Survives qpdf and mutool clean; with "text" also Ghostscript and page extraction. Does not survive printing \
        to PDF, pictures of pages, or anyone who looks for it; and it can be moved to another file.
        """

    package init() {}

    package func applicability(_ pdf: [UInt8]) throws(WatermarkError) -> Applicability {
        try TokenWriting.applicability(pdf)
    }

    package var applicabilityOfUnsigned: Applicability { TokenWriting.unsigned }

    package func embed(_ pdf: [UInt8], secret: String, key: String, position: String?) throws(WatermarkError) -> [UInt8] {
        try check(secret: secret, key: key)
        return try Self.embed(
            pdf, text: secret, key: try PasswordKey.derive(key, purpose: "sealed-token"), invisibleText: position == "text")
    }

    /// A copy with tokens under a key of 32 bytes.
    package static func embed(
        _ pdf: [UInt8], text: String, key: [UInt8], invisibleText: Bool = false
    ) throws(WatermarkError) -> [UInt8] {
        var places: Set<TokenPlaces.Place> = [.metadata, .pieceInfo, .pageKey]
        if invisibleText { places.insert(.invisibleText) }
        return try TokenWriting.embed(pdf, try SealedToken.seal(text, key: key), places)
    }

    package func extract(_ pdf: [UInt8], key: String) throws(WatermarkError) -> String {
        try check(key: key)
        return try TokenWriting.extract(pdf, try PasswordKey.derive(key, purpose: "sealed-token"))
    }

    /// The texts of tokens under a key of 32 bytes, each once.
    package static func texts(_ pdf: [UInt8], key: [UInt8]) throws(WatermarkError) -> [String] {
        TokenPlaces.read(try PDFDocument(pdf)).compactMap { SealedToken.open($0, key: key) }
    }
}

/// A token in the XMP packet alone, under the name that existing clients ask for.
package struct RobustXMPMethod: WatermarkMethod {
    package let name = "robust-xmp"
    package let usage = """
        Writes the secret, sealed under the key, into the document's XMP metadata. The name is older than what it promises: it \
        survives qpdf and mutool clean, and nothing that strips or rewrites metadata. For leaks use word-shift.
        """

    package init() {}

    package func applicability(_ pdf: [UInt8]) throws(WatermarkError) -> Applicability {
        try TokenWriting.applicability(pdf)
    }

    package var applicabilityOfUnsigned: Applicability { TokenWriting.unsigned }

    package func embed(_ pdf: [UInt8], secret: String, key: String, position: String?) throws(WatermarkError) -> [UInt8] {
        try check(secret: secret, key: key)
        let token = try SealedToken.seal(secret, key: try PasswordKey.derive(key, purpose: "robust-xmp"))
        return try TokenWriting.embed(pdf, token, [.metadata])
    }

    package func extract(_ pdf: [UInt8], key: String) throws(WatermarkError) -> String {
        try check(key: key)
        return try TokenWriting.extract(pdf, try PasswordKey.derive(key, purpose: "robust-xmp"))
    }
}

enum TokenWriting {
    static func applicability(_ pdf: [UInt8]) throws(WatermarkError) -> Applicability {
        Signatures.areIn(try PDFDocument(pdf)) ? .signed : unsigned
    }

    static let unsigned = Applicability(
        strength: .weak, notes: ["Names a copy that nobody worked on. Whoever looks for it can remove it."])

    static func embed(_ pdf: [UInt8], _ token: String, _ places: Set<TokenPlaces.Place>) throws(WatermarkError) -> [UInt8] {
        let document = try PDFDocument(pdf)
        guard !Signatures.areIn(document) else {
            throw .badInput("The document is signed, and any mark would break its signature. Mark a copy without signature.")
        }
        TokenPlaces.write(token, to: document, at: places)
        return try document.write()
    }

    static func extract(_ pdf: [UInt8], _ key: [UInt8]) throws(WatermarkError) -> String {
        let tokens = TokenPlaces.read(try PDFDocument(pdf))
        guard !tokens.isEmpty else { throw .notFound("There is no token in this document.") }
        for token in tokens {
            if let text = SealedToken.open(token, key: key) { return text }
        }
        throw WatermarkError(.invalidKey, "There are tokens in this document, and none was made with this key.")
    }
}
