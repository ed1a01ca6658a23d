/// What a document is, and what marks it can carry.
package struct DocumentReport: Codable, Sendable, Equatable {
    /// What a method can do for this document.
    package struct Method: Codable, Sendable, Equatable {
        package enum Strength: String, Codable, Sendable {
            case none, weak, fair, strong
        }

        package var name: String
        package var strength: Strength
        /// Words that the method can move; 0 for methods that move none.
        package var words: Int
        /// In plain words: what can be traced, and what the marks do not survive.
        package var notes: [String]

        package var isApplicable: Bool { strength != .none }

        package init(name: String, strength: Strength, words: Int, notes: [String]) {
            self.name = name
            self.strength = strength
            self.words = words
            self.notes = notes
        }
    }

    /// What makes a file more than the document it shows. None of them refuses it; each deserves a finding.
    package enum Suspicion: String, Codable, Sendable, CaseIterable {
        /// The file also begins or ends as something else: an archive, a page, a program.
        case polyglot
        /// Scripts run when it is opened.
        case script
        /// It starts programs.
        case launch
        /// Files are embedded in it.
        case attachment
        /// It does something without a click: when it is opened, shown, saved, printed.
        case automatic = "automatic_action"
        /// It leads to files of the reader's machine or network, or to a script.
        case localLink = "local_link"
        /// A form of it sends what is filled in, or takes data in.
        case submission = "form_submission"
        /// It has a form of the kind XFA: a program of its own.
        case formProgram = "form_program"
        /// It plays film, sound or 3D.
        case media = "rich_media"
        /// It decodes to far more than it is.
        case bomb
    }

    /// In bytes.
    package var size: Int
    /// In hexadecimal.
    package var sha256: String
    package var pages: Int
    /// It opens without a password, and says that it may not be changed.
    package var isEncrypted: Bool
    package var isLinearized: Bool
    /// Any mark would break its signature: all methods refuse it.
    package var isSigned: Bool
    /// Words that are seen and can be moved.
    package var words: Int
    /// Words that are there and not seen, as from text recognition.
    package var hiddenWords: Int
    package var methods: [Method]
    package var suspicions: [Suspicion]

    package init(
        size: Int, sha256: String, pages: Int, isEncrypted: Bool, isLinearized: Bool, isSigned: Bool, words: Int,
        hiddenWords: Int,
        methods: [Method], suspicions: [Suspicion]
    ) {
        self.size = size
        self.sha256 = sha256
        self.pages = pages
        self.isEncrypted = isEncrypted
        self.isLinearized = isLinearized
        self.isSigned = isSigned
        self.words = words
        self.hiddenWords = hiddenWords
        self.methods = methods
        self.suspicions = suspicions
    }
}
