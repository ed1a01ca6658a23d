/// An original and its copies, to hold a leak against.
package struct TracedOriginal: Sendable {
    package var document: DocumentSource
    /// Of ``Mark/Tracing``.
    package var markingSecret: [UInt8]
    /// All that were issued: the bound on accusing an innocent is over them.
    package var versions: [String]
    /// A path at which ``DocumentWorker/trace(_:among:)`` keeps what this document looks like, for the next trace; nil makes it anew.
    package var fingerprint: String?

    package init(document: DocumentSource, markingSecret: [UInt8], versions: [String], fingerprint: String? = nil) {
        self.document = document
        self.markingSecret = markingSecret
        self.versions = versions
        self.fingerprint = fingerprint
    }
}

/// Which copy a leak comes from, or that it cannot be told.
package struct TraceReport: Codable, Sendable, Equatable {
    package struct Accused: Codable, Sendable, Equatable {
        package var version: String
        /// In standard deviations.
        package var score: Double
        /// Bound on the probability that any innocent one of all copies would be accused by this leak.
        package var falsePositiveBound: Double

        package init(version: String, score: Double, falsePositiveBound: Double) {
            self.version = version
            self.score = score
            self.falsePositiveBound = falsePositiveBound
        }
    }

    package struct Page: Codable, Sendable, Equatable {
        /// Both from 0.
        package var leakPage: Int
        package var originalPage: Int
        /// Words that were found, or spots.
        package var words: Int
        /// Read from its picture, not from what the file says.
        package var isPicture: Bool
        /// Spots of the pictures that the page shows, not its words.
        package var isOfSpots: Bool

        package init(leakPage: Int, originalPage: Int, words: Int, isPicture: Bool, isOfSpots: Bool = false) {
            self.leakPage = leakPage
            self.originalPage = originalPage
            self.words = words
            self.isPicture = isPicture
            self.isOfSpots = isOfSpots
        }
    }

    /// The page that said most, word by word or spot by spot.
    package struct Evidence: Codable, Sendable, Equatable {
        package struct Word: Codable, Sendable, Equatable {
            /// In points from the top left corner of the page.
            package var x, y: Double
            /// Whether it is as in the copy that is accused.
            package var agrees: Bool

            package init(x: Double, y: Double, agrees: Bool) {
                (self.x, self.y, self.agrees) = (x, y, agrees)
            }
        }

        /// Both from 0.
        package var leakPage: Int
        package var originalPage: Int
        /// In points.
        package var width, height: Double
        package var words: [Word]
        package var isOfSpots: Bool

        package init(
            leakPage: Int, originalPage: Int, width: Double, height: Double, words: [Word], isOfSpots: Bool = false
        ) {
            self.leakPage = leakPage
            self.originalPage = originalPage
            self.width = width
            self.height = height
            self.words = words
            self.isOfSpots = isOfSpots
        }
    }

    /// Index among the originals; nil where none was recognised.
    package var original: Int?
    /// Most certain first; several where several copies were mixed; empty where nothing is certain enough.
    package var accused: [Accused]
    /// Versions that tokens in the leak name. A hint: tokens can be moved from one copy to another.
    package var tokens: [String]
    package var pages: [Page]
    package var words: Int
    package var decoys: Int
    package var highestDecoyScore: Double
    /// False where copies that never were scored as only accused ones may: then nobody is accused.
    package var isCalibrated: Bool
    /// Nil where nobody is accused.
    package var evidence: Evidence?

    package init(
        original: Int?, accused: [Accused], tokens: [String], pages: [Page], words: Int, decoys: Int, highestDecoyScore: Double,
        isCalibrated: Bool, evidence: Evidence? = nil
    ) {
        self.original = original
        self.accused = accused
        self.tokens = tokens
        self.pages = pages
        self.words = words
        self.decoys = decoys
        self.highestDecoyScore = highestDecoyScore
        self.isCalibrated = isCalibrated
        self.evidence = evidence
    }
}
