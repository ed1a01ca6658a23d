/// Everything that is written into one copy, in one pass: the method's mark, and the one that traces the copy.
package struct CopyMark: Sendable {
    /// What a platform traces copies by, under a secret of its own.
    package struct Tracing: Sendable {
        package var version: String
        /// At least 16 bytes.
        package var markingSecret: [UInt8]

        package init(version: String, markingSecret: [UInt8]) {
            self.version = version
            self.markingSecret = markingSecret
        }
    }

    package var method: String
    package var secret: String
    package var key: String
    package var position: String?
    /// What a visible stamp prints, in place of the secret.
    package var recipient: String?
    package var tracing: Tracing?

    package init(
        method: String, secret: String, key: String, position: String? = nil, recipient: String? = nil, tracing: Tracing? = nil
    ) {
        self.method = method
        self.secret = secret
        self.key = key
        self.position = position
        self.recipient = recipient
        self.tracing = tracing
    }

    /// The copy, and whether words were moved or pictures changed in it. `word-shift` refuses documents with too few words, `image-spread`
    /// those without pictures; beside other methods what has neither is left as it is.
    package func apply(to pdf: consuming [UInt8]) throws(WatermarkError) -> (copy: [UInt8], isTraceable: Bool) {
        var copy: [UInt8] = []
        let isTraceable = try apply(to: pdf) { piece in
            unsafe piece.withUnsafeBufferPointer { unsafe copy.append(contentsOf: $0) }
        }
        return (copy, isTraceable)
    }

    /// The same, for copies that are not to stand in memory once more: they are handed over piece by piece, in their order.
    ///
    /// - Returns: whether words were moved or pictures changed.
    package func apply(to pdf: consuming [UInt8], write: (Span<UInt8>) -> Void) throws(WatermarkError) -> Bool {
        let method = try WatermarkMethods.named(method)
        try method.check(secret: secret, key: key)
        let digest = WordShiftMethod.digest(pdf)
        let document = try PDFDocument(pdf)
        // The document has its own; large ones are not held twice.
        pdf = []
        guard !Signatures.areIn(document) else {
            throw .badInput("The document is signed, and any mark would break its signature. Mark a copy without signature.")
        }
        let isTraceable = method.isTraced || tracing != nil ? try trace(method, document, digest) : false
        try writeTokens(method, document)
        if method is VisibleStampMethod { VisibleStampMethod.stamp(document, recipient ?? secret) }
        let last = try document.withWritten { (copy) -> UInt8? in
            write(copy)
            return copy.isEmpty ? nil : copy[copy.count - 1]
        }
        if method is ToyEOFMethod {
            let ending = try ToyEOFMethod.ending(secret, key: key, behind: last)
            write(ending.span)
        }
        return isTraceable
    }

    private func trace(
        _ method: any WatermarkMethod, _ document: PDFDocument, _ digest: [UInt8]
    ) throws(WatermarkError) -> Bool {
        let layout: TextLayout
        do {
            layout = try LayoutReader.read(document)
        } catch {
            guard method.isTraced else { return false }
            throw error
        }
        let markingSecret: [UInt8]
        if let tracing { markingSecret = tracing.markingSecret } else { markingSecret = try method.markingSecret(key) }
        let version = tracing?.version ?? secret
        // What is asked for comes first: it may be refused. The other one follows where it is worth its time.
        if method is ImageSpreadMethod {
            try ImageSpreadMethod.embed(
                document, DocumentPictures(document, layout), original: digest, version: version, markingSecret: markingSecret)
        }
        let words = WordShiftMethod.applicability(layout)
        if words.isApplicable, method is WordShiftMethod || tracing != nil {
            let code = try WordShiftMethod.code(of: digest, layout, markingSecret)
            try WordShift.embed(document, layout, signs: code.signs(version: version))
            return true
        }
        guard !(method is WordShiftMethod) else { throw .badInput(words.notes.joined(separator: " ")) }
        if method is ImageSpreadMethod { return true }
        // A scan has no words, whatever method was chosen: without its pictures nobody could say whose copy leaked.
        return try ImageSpread.embed(
            document, DocumentPictures(document, layout), original: digest, version: version, markingSecret: markingSecret) > 0
    }

    /// Tokens stand side by side: each is found by its own key.
    private func writeTokens(_ method: any WatermarkMethod, _ document: PDFDocument) throws(WatermarkError) {
        var tokens: [String] = []
        var places: Set<TokenPlaces.Place> = [.metadata, .pieceInfo, .pageKey]
        switch method {
        case is RobustXMPMethod:
            places = [.metadata]
            tokens.append(try SealedToken.seal(secret, key: try PasswordKey.derive(key, purpose: method.name)))
        case is SealedTokenMethod, is WordShiftMethod, is ImageSpreadMethod:
            if position == "text" { places.insert(.invisibleText) }
            tokens.append(try SealedToken.seal(secret, key: try PasswordKey.derive(key, purpose: method.name)))
        default: break
        }
        if let tracing { tokens.append(try SealedToken.seal(tracing.version, key: tracing.markingSecret)) }
        guard !tokens.isEmpty else { return }
        TokenPlaces.write(tokens.joined(separator: " "), to: document, at: places)
    }

    /// The secret that ``apply(to:)`` wrote; of methods that are read against the original, the one that is sealed beside their marks.
    package static func read(_ pdf: [UInt8], method: String, key: String) throws(WatermarkError) -> String {
        let method = try WatermarkMethods.named(method)
        try method.check(key: key)
        guard method.isTraced else { return try method.extract(pdf, key: key) }
        do {
            return try TokenWriting.extract(pdf, try method.markingSecret(key))
        } catch  where error.code == .notFound {
            throw .notFound("No sealed text is left in this copy. Its marks may still tell: trace it against its original.")
        }
    }
}
