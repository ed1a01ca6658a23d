/// Which copies a leak was made from, by the measure of a worker, or that it cannot be told.
package struct TraceVerdict: Sendable, Equatable {
    package struct Accused: Sendable, Equatable {
        /// The name that the copy was marked with.
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

    package struct Page: Sendable, Equatable {
        /// Of the leak, from 1.
        package var number: Int
        /// Words that were found, or spots.
        package var words: Int
        /// Read from its picture, not from what the file says.
        package var isPicture: Bool
        /// Spots of the pictures that the page shows, not its words.
        package var isOfSpots: Bool

        package init(number: Int, words: Int, isPicture: Bool, isOfSpots: Bool = false) {
            self.number = number
            self.words = words
            self.isPicture = isPicture
            self.isOfSpots = isOfSpots
        }
    }

    /// The page that said most, word by word or spot by spot: a picture of the evidence.
    package struct Evidence: Sendable, Equatable {
        package struct Word: Sendable, Equatable {
            /// In points from the top left corner of the page.
            package var x, y: Double
            /// Whether it is as in the copy that is accused.
            package var agrees: Bool

            package init(x: Double, y: Double, agrees: Bool) {
                (self.x, self.y, self.agrees) = (x, y, agrees)
            }
        }

        /// Page of the leak, from 1.
        package var number: Int
        /// In points.
        package var width, height: Double
        package var words: [Word]
        package var isOfSpots: Bool

        package init(number: Int, width: Double, height: Double, words: [Word], isOfSpots: Bool = false) {
            self.number = number
            self.width = width
            self.height = height
            self.words = words
            self.isOfSpots = isOfSpots
        }
    }

    /// Whether any of the originals was recognised.
    package var isRecognised: Bool
    /// Most certain first; several where several copies were mixed; empty where nothing is certain enough.
    package var accused: [Accused]
    /// What the verdict rests on.
    package var pages: [Page]
    /// Keys that nobody was given and were measured beside the copies', and the most that one of them reached.
    package var decoys: Int
    package var highestDecoyScore: Double
    /// Nil where nobody is accused.
    package var evidence: Evidence?

    package init(
        isRecognised: Bool = false, accused: [Accused] = [], pages: [Page] = [], decoys: Int = 0, highestDecoyScore: Double = 0,
        evidence: Evidence? = nil
    ) {
        self.isRecognised = isRecognised
        self.accused = accused
        self.pages = pages
        self.decoys = decoys
        self.highestDecoyScore = highestDecoyScore
        self.evidence = evidence
    }
}
