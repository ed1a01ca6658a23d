import Foundation
import Testing
import Watermark

@Suite("Codes and accusations")
struct AccusationTests {
    private static let secret = Array("0123456789abcdef0123456789abcdef".utf8)

    private static func code(_ places: Int) throws -> VersionCode {
        try VersionCode(secret: secret, document: [1, 2, 3], places: places)
    }

    @Test("Signs depend on the secret, the document and the version, and on nothing else")
    func keyed() throws {
        let signs = try Self.code(500).signs(version: "a")
        #expect(try Self.code(500).signs(version: "a") == signs)
        #expect(try Self.code(500).signs(version: "b") != signs)
        #expect(try VersionCode(secret: Self.secret, document: [1, 2, 4], places: 500).signs(version: "a") != signs)
        #expect(try VersionCode(secret: Self.secret.reversed(), document: [1, 2, 3], places: 500).signs(version: "a") != signs)
        // A change of the derivation would orphan every copy that was issued.
        #expect(signs.prefix(24).map { $0 > 0 ? "1" : "0" }.joined() == Self.knownSigns)
        #expect(throws: WatermarkError.self) { try VersionCode(secret: [1, 2, 3], document: [], places: 5) }
    }

    private static let knownSigns = "100111011001011010111011"

    @Test("Signs come up as often as the biases say")
    func biases() throws {
        let code = try Self.code(200)
        var counts = [Int](repeating: 0, count: 200)
        for version in 0..<600 {
            for (place, sign) in try code.signs(version: "\(version)").enumerated() where sign > 0 { counts[place] += 1 }
        }
        #expect(code.biases.count { $0 == 32_768 } > 70)
        for (place, count) in counts.enumerated() {
            let expected = Double(code.biases[place]) / 65_536
            let deviation = (expected * (1 - expected) / 600).squareRoot()
            #expect(abs(Double(count) / 600 - expected) < 5 * deviation)
        }
    }

    /// What was read: noise, clipped values, places left out; or the signs of copies mixed by a strategy.
    private static func observe(
        _ places: Int, noise: Double, _ random: inout SeededGenerator, _ value: (Int, inout SeededGenerator) -> Double
    ) -> [Observation] {
        (0..<places).compactMap { place in
            guard Double.random(in: 0..<1, using: &random) > 0.1 else { return nil }
            let sum = (0..<12).reduce(-6.0) { partial, _ in partial + Double.random(in: 0..<1, using: &random) }
            return Observation(place: place, value: value(place, &random) + noise * sum)
        }
    }

    @Test("Innocent copies fall below a bound no more often than it says", arguments: [30, 300, 1_200])
    func boundHolds(places: Int) throws {
        let code = try Self.code(places)
        var random = SeededGenerator(seed: UInt64(places))
        let guilty = try code.signs(version: "guilty")
        // A leak that is nothing but noise, one of a single leaker, and one that always says the same.
        let readings = [
            Self.observe(places, noise: 1, &random) { _, _ in 0 },
            Self.observe(places, noise: 0.5, &random) { place, _ in Double(guilty[place]) },
            Self.observe(places, noise: 0.1, &random) { _, _ in 1 },
        ]
        for reading in readings {
            let accusation = Accusation(reading, code: code)
            var bounds: [Double] = []
            for version in 0..<1_500 { bounds.append(accusation.score(try code.signs(version: "innocent \(version)")).logBound) }
            for limit in [0.1, 0.01] {
                let share = Double(bounds.count { $0 <= log(limit) }) / 1_500
                #expect(share <= limit + 4 * (limit / 1_500).squareRoot(), "\(share) of innocents below \(limit)")
            }
        }
    }

    enum Strategy: String, CaseIterable {
        case average, interleave, majority, minority, allOnes

        func value(_ signs: [Int8], _ random: inout SeededGenerator) -> Double {
            let ups = signs.count { $0 > 0 }
            switch self {
            case .average: return Double(signs.reduce(0) { $0 + Int($1) }) / Double(signs.count)
            case .interleave: return Double(signs.randomElement(using: &random) ?? 1)
            case .majority: return 2 * ups > signs.count ? 1 : -1
            // What all share cannot be changed: the marking assumption.
            case .minority: return ups == signs.count || (ups > 0 && 2 * ups < signs.count) ? 1 : -1
            case .allOnes: return ups > 0 ? 1 : -1
            }
        }
    }

    @Test("Of three who mix ten pages, at least one is accused and nobody else is", arguments: Strategy.allCases)
    func colluders(strategy: Strategy) throws {
        let places = 4_500
        let code = try Self.code(places)
        var random = SeededGenerator(seed: 7)
        let copies = try (0..<3).map { try code.signs(version: "colluder \($0)") }
        let reading = Self.observe(places, noise: 0.4, &random) { place, random in
            strategy.value(copies.map { $0[place] }, &random)
        }
        let versions = (0..<3).map { "colluder \($0)" } + (0..<60).map { "innocent \($0)" }
        let verdict = try Tracer(code: code, decoys: 30).trace(
            LeakReading(alternatives: [reading], pages: []), versions: versions)
        #expect(!verdict.accused.isEmpty, "nobody was found")
        #expect(verdict.accused.allSatisfy { $0.version.hasPrefix("colluder") })
        #expect(verdict.isCalibrated)
    }

    @Test("A reading of noise accuses nobody; one that was never issued, neither")
    func nobody() throws {
        let code = try Self.code(800)
        var random = SeededGenerator(seed: 3)
        let noise = Self.observe(800, noise: 1, &random) { _, _ in 0 }
        let unknown = try code.signs(version: "never issued")
        let foreign = Self.observe(800, noise: 0.2, &random) { place, _ in Double(unknown[place]) }
        for reading in [noise, foreign, []] {
            let verdict = try Tracer(code: code, decoys: 50).trace(
                LeakReading(alternatives: [reading], pages: []), versions: (0..<200).map(String.init))
            #expect(verdict.accused.isEmpty)
        }
    }

    @Test("Decoys that fit the leak, as they only can where the bound does not hold, stop every accusation")
    func calibration() throws {
        let code = try Self.code(800)
        let decoy = try code.signs(version: "decoy/0")
        let reading = decoy.enumerated().map { Observation(place: $0.offset, value: Double($0.element)) }
        let verdict = try Tracer(code: code, decoys: 5).trace(
            LeakReading(alternatives: [reading], pages: []), versions: ["decoy/0", "b"])
        #expect(!verdict.isCalibrated && verdict.accused.isEmpty)
    }
}
