import Events

/// Runs the samples of formats: each line has to give the fields that stand beside it, named and, unless the sample says
/// otherwise, unnamed among all other formats.
package struct FormatTrial: Sendable {
    package struct Outcome: Sendable {
        package var format: String
        package var file: String
        package var line: Int
        /// `nil` when the fields were those expected.
        package var failure: String?
    }

    private let folder: FormatFolder
    private let fields: FieldTable
    private let logSources: LogSourceTable
    private let formats: FormatSet

    package init(_ folder: FormatFolder) {
        self.folder = folder
        var fields = FieldTable()
        for name in folder.definitions.flatMap(\.fieldNames) { _ = fields.intern(name) }
        for name in folder.definitions.flatMap(\.samples).flatMap(\.fields).map(\.name) { _ = fields.intern(name) }
        var logSources = LogSourceTable()
        folder.intern(into: &logSources)
        self.fields = fields
        self.logSources = logSources
        formats = FormatSet(folder, fields: fields, logSources: logSources)
    }

    package func run() -> [Outcome] {
        folder.definitions.flatMap { definition in
            definition.samples.map { sample in
                var failure = failure(of: sample, .named(definition.name), "named")
                if failure == nil, sample.isRecognised { failure = self.failure(of: sample, .auto, "unnamed") }
                return Outcome(format: definition.name, file: definition.file, line: sample.line, failure: failure)
            }
        }
    }

    private func failure(of sample: FormatSample, _ format: LogFormat, _ way: String) -> String? {
        var parser = BatchParser(format: format, plan: formats.plan, formats: formats)
        let reference = sample.reference ?? Timestamp(seconds: 1_900_000_000)
        let batch = LogStream.parse(sample.text, name: "sample", parser: &parser, reference: reference)
        guard let event = batch.events.first else { return "\(way), the line gives no event" }
        for (name, expected) in sample.fields {
            let found = value(name, event, batch)
            if found != expected {
                return "\(way), \(name) is \(found.map { "'\($0)'" } ?? "absent"), not \(expected.map { "'\($0)'" } ?? "absent")"
            }
        }
        return nil
    }

    private func value(_ name: String, _ event: EventRecord, _ batch: EventBatch) -> String? {
        switch name {
        case "@timestamp": return event.hasOwnTime ? event.time.rfc3339 : nil
        case "logsource":
            let source = logSources[event.logSource]
            return (source.categories.sorted() + [source.product, source.service].compactMap { $0 }).joined(separator: " ")
        default: return fields.find(name).flatMap { batch.range(of: $0, in: event) }.map(batch.text)
        }
    }
}
