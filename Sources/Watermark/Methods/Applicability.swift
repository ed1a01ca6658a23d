/// Whether a method can mark a document, how strongly, and what its marks do not survive: in words for the person who asks.
package struct Applicability: Sendable, Equatable {
    package enum Strength: String, Sendable {
        case none, weak, fair, strong
    }

    package var strength: Strength
    /// Words that can be moved; 0 for methods that move none.
    package var carriers: Int
    package var notes: [String]

    package var isApplicable: Bool { strength != .none }

    package init(strength: Strength, carriers: Int = 0, notes: [String]) {
        self.strength = strength
        self.carriers = carriers
        self.notes = notes
    }

    static let signed = Applicability(strength: .none, notes: ["The document is signed: any mark would break its signature."])
}
