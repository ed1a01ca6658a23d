import Foundation

/// What was read at one place: how far the word was moved, in units of the amplitude; beyond ±2 it is clipped.
package struct Observation: Sendable {
    package var place: Int
    package var value: Double

    package init(place: Int, value: Double) {
        self.place = place
        self.value = min(max(value, -2), 2)
    }
}

/// Holds copies against what was read, with a bound on how probable it is that a copy that was not leaked looks as much like it.
///
/// The bound needs no model of the noise. The signs of a copy that had no part in the leak are independent of the leak, however it was
/// made and measured: its score is a sum of independent variables whose distributions are known, the biases of the code. Chernoff's
/// bound for that sum, minimised over a grid, holds for any sample size.
package struct Accusation: Sendable {
    /// How places are weighed. Two are tried, and the bound pays for both.
    private enum Weighing: CaseIterable {
        /// As they were measured: best for one leaker.
        case matched
        /// By the rarity of the sign: best for several who mixed their copies.
        case symmetric
    }

    private struct Scorer: Sendable {
        var weights: [Double]
        /// Σ log E exp(λ·term), by index of λ.
        var logMoments: [Double]
        var deviation: Double
    }

    package struct Score: Sendable {
        /// How many standard deviations of an innocent copy's score this is.
        package var z: Double
        /// Natural logarithm of the bound on the probability that an innocent copy scores so high.
        package var logBound: Double
    }

    private let observations: [Observation]
    private let biases: [Double]
    private let scorers: [Scorer]
    private let lambdas: [Double]

    package init(_ observations: [Observation], code: any CopyCode) {
        let all = code.biases
        let known = observations.filter { all.indices.contains($0.place) && $0.value.isFinite && $0.value != 0 }
        self.observations = known
        let biases = known.map { Double(all[$0.place]) / 65_536 }
        self.biases = biases
        // λ·(term of weight 1) from next to nothing to where a single place decides.
        let lambdas = (0..<80).map { 0.004 * pow(1.1, Double($0)) }
        self.lambdas = lambdas
        scorers = Weighing.allCases.map { weighing in
            let weights: [Double] = zip(known, biases).map { observation, bias in
                weighing == .matched ? 2 * observation.value : observation.value / (bias * (1 - bias)).squareRoot()
            }
            var variance = 0.0
            for (weight, bias) in zip(weights, biases) { variance += weight * weight * bias * (1 - bias) }
            let moments = lambdas.map { lambda in
                var sum = 0.0
                for (weight, bias) in zip(weights, biases) {
                    let up: Double = bias * exp(lambda * weight * (1 - bias))
                    let down: Double = (1 - bias) * exp(-lambda * weight * bias)
                    sum += log(up + down)
                }
                return sum
            }
            return Scorer(weights: weights, logMoments: moments, deviation: variance.squareRoot())
        }
    }

    /// The score of a copy with these signs; the better of both weighings, whose bound is twice its own.
    package func score(_ signs: [Int8]) -> Score {
        var best = Score(z: 0, logBound: 0)
        for scorer in scorers where scorer.deviation > 0 {
            var sum = 0.0
            for index in observations.indices {
                let place = observations[index].place
                guard place < signs.count else { continue }
                sum += scorer.weights[index] * ((signs[place] > 0 ? 1 : 0) - biases[index])
            }
            var logBound = 0.0
            for (index, lambda) in lambdas.enumerated() { logBound = min(logBound, scorer.logMoments[index] - lambda * sum) }
            logBound = min(0, logBound + log(Double(Weighing.allCases.count)))
            let z = sum / scorer.deviation
            if logBound < best.logBound || (logBound == best.logBound && z > best.z) { best = Score(z: z, logBound: logBound) }
        }
        return best
    }
}
