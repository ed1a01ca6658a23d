import Events
import Fuzzing
import Ingest

/// An input is a log format as YAML, a NUL, and lines to read with it.
///
/// Laws: nothing traps; a file that is refused says at which line, inside the file; every line is counted once, and every range lies
/// in the batch.
@main enum FuzzFormats {
    static func main() {
        fuzz(examine)
    }

    private static func examine(_ data: [UInt8]) {
        let parts = data.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        let text = String(decoding: parts[0], as: UTF8.self)
        let folder = FormatFolder(text: text, path: "formats/fuzzed.yml")
        let lineCount = yamlLineCount(text)
        for problem in folder.problems {
            precondition(problem.line >= 0 && problem.line <= lineCount + 1, "a problem at a line that the file does not have")
            precondition(!problem.reason.isEmpty)
        }
        guard parts.count == 2, let name = folder.definitions.first?.name, let format = LogFormat(rawValue: name) else { return }
        var logSources = LogSourceTable()
        folder.intern(into: &logSources)
        let fields = FieldTable()
        let formats = FormatSet(folder, fields: fields, logSources: logSources)
        let lines = String(decoding: parts[1], as: UTF8.self)
        for format in [format, .auto] {
            var parser = BatchParser(format: format, plan: JSONFieldPlan(fields), formats: formats)
            let batch = LogStream.parse(lines, name: "", parser: &parser, reference: Timestamp(seconds: 1_800_000_000))
            let counters = parser.counters
            precondition(counters.lines == counters.parsed + counters.unparsed + counters.blank)
            for event in batch.events {
                for field in batch.fields[event.fields] {
                    precondition(
                        field.range.start >= 0 && field.range.count >= 0 && field.range.end <= batch.bytes.count,
                        "a range lies outside its batch")
                }
            }
            for sample in parser.unparsedSamples {
                let nearest = formats.nearestFormat(sample, reference: Timestamp(seconds: 1_800_000_000))
                precondition(nearest.map { (0...sample.utf8.count).contains($0.position) } ?? true)
            }
        }
    }
}
