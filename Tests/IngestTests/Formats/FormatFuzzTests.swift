import Events
import Testing

@testable import Ingest

/// Mutations of every shipped format's samples, and of its files, always the same ones.
@Suite("Hostile bytes in the shipped formats")
struct FormatFuzzTests {
    @Test("nothing traps, every line gives one event, every range lies in the batch, values of a field are neighbours")
    func lines() {
        var generator = SeededGenerator(state: 4)
        let formats = Shipped.formats
        for definition in ShippedFormatsTests.folder.definitions {
            for format in [LogFormat.auto, .named(definition.name)] {
                var text: [UInt8] = []
                for sample in definition.samples {
                    for _ in 0..<12 { text += mutated(Array(sample.text.utf8), &generator).filter { $0 != 0x0A } + [0x0A] }
                }
                var parser = BatchParser(format: format, plan: formats.set.plan, formats: formats.set)
                let batch = LogStream.parse(
                    String(decoding: text, as: UTF8.self), name: "fuzz", parser: &parser, reference: Reading.reference)
                let counters = parser.counters
                #expect(counters.lines == counters.parsed + counters.unparsed + counters.blank)
                #expect(batch.events.count == counters.parsed + counters.unparsed)
                #expect(batch.isGrouped, "\(definition.name)")
                let isSound = batch.fields.allSatisfy {
                    $0.range.start >= 0 && $0.range.count >= 0 && $0.range.end <= batch.bytes.count
                        && Int($0.field.rawValue) < formats.fields.count
                }
                #expect(isSound, "\(definition.name)")
            }
        }
    }

    /// An object behind a date once kept the keys by which formats are told, for which no rule has a place: a trap in the engine.
    @Test(
        "keys by which formats are told leave no field that the rules do not know",
        arguments: [
            #"2026-03-01 10:00:00 ERROR trial {"eventid":"x","session":"y","sensor":"z","correlation_id":"c"}"#,
            #"Mar  1 10:00:00 host trial[12]: {"eventid":"x","session":"y","controller":"z"}"#,
            #"Mar  1 10:00:00 host trial[12]: eventid=x session=y sensor=z controller=c"#,
            #"eventid=x session=y sensor=z controller=c correlation_id=d"#,
            #"{"eventid":"x","session":"y","controller":"z"}"#,
        ])
    func keysOfFormatsAreTakenOut(_ line: String) {
        let formats = Shipped.formats
        for format in LogFormat.allCases + [.named("cowrie")] {
            var parser = BatchParser(format: format, plan: formats.set.plan, formats: formats.set)
            let batch = LogStream.parse(line + "\n", name: "trial", parser: &parser, reference: Reading.reference)
            #expect(batch.fields.allSatisfy { Int($0.field.rawValue) < formats.fields.count }, "\(format)")
        }
    }

    @Test("mutated format files are read or refused with a reason")
    func files() {
        var generator = SeededGenerator(state: 5)
        let seed = """
            name: trial
            title: Trial
            logsource: {category: authentication}
            define: {peer: '{source.ip}:{source.port}'}
            headers: ['{@timestamp:%d/%b/%Y %H:%M:%S%f%z} {log.level} {message:rest}']
            patterns:
              - pattern: '{failed|refused} {user |}{user.name:text} from {=peer}'
                set: {event.outcome: failure}
            cases:
              - when: {event: ['a', 'b*']}
                set: {event.outcome: failure}
            samples:
              - {line: 'failed user a from 192.0.2.1:7', fields: {source.ip: 192.0.2.1}}
            """
        for _ in 0..<1500 {
            let text = String(decoding: mutated(Array(seed.utf8), &generator), as: UTF8.self)
            let folder = FormatFolder(text: text, path: "trial.yml")
            #expect(folder.definitions.count + folder.problems.count == 1)
            if !folder.definitions.isEmpty { _ = FormatTrial(folder).run() }
        }
    }

    private func mutated(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 0...3, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0...4, using: &generator) {
            case 0: bytes[place] = .random(in: .min ... .max, using: &generator)
            case 1: bytes.remove(at: place)
            case 2: bytes.removeLast(bytes.count - place)
            case 3: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 20)], at: place)
            default: bytes.insert("{}[]|\"'\\=:,-. \u{0}".utf8.map { $0 }.randomElement(using: &generator) ?? 0, at: place)
            }
        }
        return bytes
    }
}
