/// What a document is and can carry, from one reading.
package struct DocumentSurvey: Sendable {
    /// Things in a file that are more than what it shows.
    package enum Extra: Sendable, CaseIterable {
        /// The file is something else, too: an archive, a page, a program.
        case polyglot
        case script
        /// It starts a program.
        case launch
        case attachment
        /// Something is done without a click.
        case automatic
        /// A link to files of the reader's machine or network, or to a script.
        case localLink
        /// A form that sends what is in it, or takes data in.
        case submission
        /// XFA: a form that is a program of its own.
        case formProgram
        /// Film, sound, 3D.
        case media
    }

    package var pages: Int
    package var isEncrypted: Bool
    package var isLinearized: Bool
    package var isSigned: Bool
    package var words: Int
    package var hiddenWords: Int
    package var methods: [(name: String, applicability: Applicability)]
    package var extras: [Extra]

    package init(_ pdf: [UInt8]) throws(WatermarkError) {
        let document = try PDFDocument(pdf)
        pages = document.pageCount
        isEncrypted = document.isEncrypted
        isLinearized = document.isLinearized
        isSigned = Signatures.areIn(document)
        (words, hiddenWords, methods) = (0, 0, [])
        let wordShift: Applicability
        let imageSpread: Applicability
        do {
            let layout = try LayoutReader.read(document)
            words = layout.carrierCount
            hiddenWords = layout.hiddenWords
            wordShift = WordShiftMethod.applicability(layout)
            imageSpread = ImageSpreadMethod.applicability(DocumentPictures(document, layout))
        } catch {
            wordShift = Applicability(strength: .none, notes: [error.message])
            imageSpread = wordShift
        }
        for method in WatermarkMethods.all {
            let applicability: Applicability =
                isSigned
                ? .signed
                : method is WordShiftMethod
                    ? wordShift : method is ImageSpreadMethod ? imageSpread : method.applicabilityOfUnsigned
            methods.append((method.name, applicability))
        }
        let active = ActiveContent(document).found
        extras = Extra.allCases.filter { $0 == .polyglot ? Polyglot.isOne(pdf) : active.contains($0) }
    }
}
