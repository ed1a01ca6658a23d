/// A leak that was held against originals: which one it is of, and which copy.
package struct LeakTrace: Sendable {
    /// Index among the originals; nil where none was recognised.
    package var original: Int?
    package var verdict: Tracer.Verdict?
    package var pages: [PageEvidence]
}

/// An original, the secret its copies are marked under, and the copies.
package struct IssuedDocument: Sendable {
    package var bytes: [UInt8]
    package var markingSecret: [UInt8]
    package var versions: [String]
    package var amplitude: Double

    package init(bytes: [UInt8], markingSecret: [UInt8], versions: [String], amplitude: Double = WordShift.amplitude) {
        self.bytes = bytes
        self.markingSecret = markingSecret
        self.versions = versions
        self.amplitude = amplitude
    }
}

extension LeakTrace {
    /// Tries originals in the order given, and stops at the first whose copy is accused; else reports the one of which most was read.
    ///
    /// An original that cannot be read is passed over: it is not the leak's.
    package static func trace(
        _ leak: Leak, among originals: [IssuedDocument], decoys: Int = 400
    ) throws(WatermarkError) -> LeakTrace {
        var best = LeakTrace(original: nil, verdict: nil, pages: [])
        var mostWords = 0
        for (index, original) in originals.enumerated() {
            let reader: LeakReader
            do {
                reader = try LeakReader(original: original.bytes, amplitude: original.amplitude)
            } catch  where error.code == .badInput {
                continue
            }
            let code = try WordShiftMethod.code(original.bytes, reader.layout, original.markingSecret)
            // What the file says is quick to read; pictures are looked at where it does not decide.
            for pictures in [false, true] {
                let reading = try reader.read(leak, pictures: pictures)
                guard !reading.alternatives.isEmpty else { continue }
                // Other originals are tries, too.
                let verdict = try Tracer(code: code, decoys: decoys).trace(
                    reading, versions: original.versions, limit: Tracer.limit / Double(2 * originals.count))
                let found = LeakTrace(original: index, verdict: verdict, pages: reading.pages)
                if !verdict.accused.isEmpty { return found }
                if verdict.words > mostWords { (best, mostWords) = (found, verdict.words) }
                if case .pictures = leak { break }
            }
        }
        return best
    }
}
