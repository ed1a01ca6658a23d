/// What has to look into documents, and therefore never runs in this process: a sandboxed worker does it.
///
/// Files are open already, and those very files are read. Nothing that comes back is believed beyond its type: numbers are checked by
/// whoever uses them.
package protocol DocumentProcessing: Sendable {
    /// The methods there are, in the order in which they are shown.
    func methods() async throws(ProcessingFailure) -> [MarkingMethod]

    /// What a document is. Fails where it is none, is damaged, or needs a password.
    func inspect(_ file: StoredFile) async throws(ProcessingFailure) -> DocumentInspection

    /// Writes a marked copy to the path `destination`, where nothing stands yet; after a failure nothing stands there either.
    func embed(_ order: MarkingOrder, in file: StoredFile, to destination: String) async throws(ProcessingFailure) -> MarkedFile

    /// The secret that a copy carries.
    func readSecret(_ file: StoredFile, method: String, key: String) async throws(ProcessingFailure) -> String

    /// The versions that a leak was made from: a PDF document, or a PNG or JPEG picture of a page.
    func trace(_ file: StoredFile, among originals: [TraceableOriginal]) async throws(ProcessingFailure) -> TraceVerdict
}

/// A way to mark documents.
package struct MarkingMethod: Sendable, Equatable {
    /// Stable: stored versions and clients refer to it.
    package var name: String
    /// What it does, what it survives and what not, in a few sentences.
    package var usage: String

    package init(name: String, usage: String) {
        self.name = name
        self.usage = usage
    }
}

/// What a document is, and what marks it can carry.
package struct DocumentInspection: Sendable, Equatable {
    /// What a method can do for this document.
    package struct Method: Sendable, Equatable {
        package var name: String
        package var isApplicable: Bool
        /// `none`, `weak`, `fair` or `strong`.
        package var strength: String
        /// In plain words: what can be traced, and what the marks do not survive.
        package var notes: [String]

        package init(name: String, isApplicable: Bool, strength: String, notes: [String]) {
            self.name = name
            self.isApplicable = isApplicable
            self.strength = strength
            self.notes = notes
        }
    }

    package var pages: Int
    package var isSigned: Bool
    package var methods: [Method]
    /// The file is more than the document it shows: an archive, a page, a program.
    package var isPolyglot: Bool
    /// What else it does, or carries; the gravest first.
    package var content: [ContentFinding]

    package init(
        pages: Int, isSigned: Bool, methods: [Method], isPolyglot: Bool = false, content: [ContentFinding] = []
    ) {
        self.pages = pages
        self.isSigned = isSigned
        self.methods = methods
        self.isPolyglot = isPolyglot
        self.content = content
    }
}

/// How a copy is to be marked.
package struct MarkingOrder: Sendable, Equatable {
    package var method: String
    package var secret: String
    package var key: String
    package var intendedFor: String
    package var position: String?
    /// Names the copy in every later trace. Not a secret.
    package var version: String
    /// 32 bytes of the platform's own, the same for all copies of a document.
    package var markingSecret: [UInt8]

    package init(
        method: String, secret: String, key: String, intendedFor: String, position: String?, version: String,
        markingSecret: [UInt8]
    ) {
        self.method = method
        self.secret = secret
        self.key = key
        self.intendedFor = intendedFor
        self.position = position
        self.version = version
        self.markingSecret = markingSecret
    }
}

/// A marked copy that was written.
package struct MarkedFile: Sendable, Equatable {
    /// In bytes.
    package var size: Int
    /// In hexadecimal.
    package var sha256: String

    package init(size: Int, sha256: String) {
        self.size = size
        self.sha256 = sha256
    }
}

/// An original and its copies, to hold a leak against.
package struct TraceableOriginal: Sendable, Equatable {
    package var path: String
    package var markingSecret: [UInt8]
    /// All that were issued.
    package var versions: [String]
    /// Where is kept what the document looks like; made by the first trace that needs it.
    package var fingerprintPath: String

    package init(path: String, markingSecret: [UInt8], versions: [String], fingerprintPath: String) {
        self.path = path
        self.fingerprintPath = fingerprintPath
        self.markingSecret = markingSecret
        self.versions = versions
    }
}
