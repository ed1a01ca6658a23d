import Foundation

/// Holds every issued copy against what was read of a leak, and accuses one or none.
package struct Tracer: Sendable {
    package struct Suspect: Sendable {
        package var version: String
        package var score: Accusation.Score
        /// Bound on the probability that any innocent one of the issued copies would be accused by this reading; at least 1e-300, what
        /// is smaller than a number can say.
        package var falsePositiveBound: Double
    }

    package struct Verdict: Sendable {
        /// Copies below the limit, most certain first. Several where several were mixed.
        package var accused: [Suspect]
        /// The best copy that is not accused.
        package var runnerUp: Suspect?
        /// The highest score of copies that were never issued.
        package var highestDecoy: Double
        package var decoys: Int
        /// False where decoys scored as only accused copies may: then nobody is accused.
        package var isCalibrated: Bool
        package var words: Int
    }

    /// The bound below which a copy is accused, over all issued copies together.
    package static let limit = 1e-9

    private let code: any CopyCode
    private let decoys: Int

    package init(code: any CopyCode, decoys: Int = 400) {
        self.code = code
        self.decoys = decoys
    }

    package func trace(
        _ reading: LeakReading, versions: [String], limit: Double = Tracer.limit
    ) throws(WatermarkError) -> Verdict {
        let accusations = reading.alternatives.map { Accusation($0, code: code) }
        // Every alternative of the reading and every copy is a try of its own: the bound pays for all (Bonferroni).
        let tries = Double(max(accusations.count, 1) * max(versions.count, 1))
        var suspects: [Suspect] = []
        for version in versions {
            let score = try best(accusations, version)
            suspects.append(
                Suspect(version: version, score: score, falsePositiveBound: min(1, max(1e-300, tries * exp(score.logBound)))))
        }
        suspects.sort { ($0.score.logBound, $1.score.z) < ($1.score.logBound, $0.score.z) }
        var highestDecoy = 0.0
        var calibrated = true
        for index in 0..<decoys {
            let score = try best(accusations, "decoy/\(index)")
            highestDecoy = max(highestDecoy, score.z)
            // A decoy this unlikely means that the reading does not do what the bound assumes.
            if score.logBound + log(tries * Double(decoys)) < log(1e-6) { calibrated = false }
        }
        let accused = calibrated ? suspects.filter { $0.falsePositiveBound <= limit } : []
        return Verdict(
            accused: accused, runnerUp: suspects.dropFirst(accused.count).first, highestDecoy: highestDecoy, decoys: decoys,
            isCalibrated: calibrated, words: reading.alternatives.map(\.count).max() ?? 0)
    }

    private func best(_ accusations: [Accusation], _ version: String) throws(WatermarkError) -> Accusation.Score {
        let signs = try code.signs(version: version)
        return accusations.map { $0.score(signs) }.min { ($0.logBound, $1.z) < ($1.logBound, $0.z) }
            ?? Accusation.Score(z: 0, logBound: 0)
    }
}
