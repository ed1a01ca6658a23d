import Events
import Ingest
import Testing

@Suite("Windows events as JSON")
struct WindowsFormatTests {
    private static let table = FieldTable(with: [
        "Image", "CommandLine", "EventID", "Channel", "Provider_Name", "Execution_ProcessID", "ThreatName", "Data", "Imphash",
        "Hashes", "Level", "EventType",
    ])

    private static let taxonomy: EventTaxonomy = {
        var taxonomy = EventTaxonomy()
        let field = { (name: String) in table.find(name) ?? .message }
        taxonomy.names = ["event_id": field("EventID")]
        taxonomy.copies = [field("Image"): .processName]
        taxonomy.assignments = [.init(list: field("Hashes"), fields: ["IMPHASH": field("Imphash")])]
        taxonomy.origins = [
            .init(
                conditions: [
                    .init(field: field("Channel"), values: ["Sysmon/Operational"]),
                    .init(field: field("EventID"), values: ["1", "5"]),
                ], source: .sshd),
            .init(conditions: [.init(field: field("Channel"), values: ["Sysmon/Operational"])], source: .sudo),
        ]
        taxonomy.otherwise = .su
        return taxonomy
    }()

    private func read(_ text: String) -> (events: [ReadEvent], counters: SourceCounters) {
        var parser = BatchParser(format: .windows, plan: JSONFieldPlan(Self.table, taxonomy: Self.taxonomy))
        let batch = LogStream.parse(text, name: "", parser: &parser, reference: Reading.reference)
        return (batch.copied(Self.table), parser.counters)
    }

    private func fields(_ text: String) throws -> [String: [String]] {
        try #require(read(text).events.first).fields
    }

    @Test func elementsAndAttributesBecomeFields() throws {
        let event = ##"""
            {"Event": {"#attributes": {"xmlns": "x"}, "System": {"Provider": {"#attributes": {"Name": "P", "Guid": "g"}},
              "EventID": {"#attributes": {"Qualifiers": 16384}, "#text": 7045}, "TimeCreated": {"#attributes":
              {"SystemTime": "2026-03-01T10:00:00.5Z"}}, "Execution": {"#attributes": {"ProcessID": 12}}, "Correlation": null},
              "EventData": {"Image": "C:\\x.exe", "CommandLine": ""}}}
            """##
        let read = try #require(read(event).events.first)
        #expect(read.fields["Provider_Name"] == ["P"])
        #expect(read.fields["EventID"] == ["7045"])
        #expect(read.fields["Execution_ProcessID"] == ["12"])
        #expect(read.fields["Image"] == [#"C:\x.exe"#])
        #expect(read.fields["process.name"] == [#"C:\x.exe"#], "a copy is decoded once, with what it is a copy of")
        #expect(read.fields["CommandLine"] == [""])
        #expect(read.hasOwnTime && read.time.rfc3339.hasPrefix("2026-03-01T10:00:00.5"))
    }

    /// What exporters of flat objects call the time of an event; Sysmon's own comes last.
    @Test(arguments: [
        #"{"@timestamp":"2026-03-01T10:00:00.500Z","EventID":1}"#, #"{"EventID":1,"TimeCreated":"2026-03-01T10:00:00.500Z"}"#,
        #"{"EventID":1,"EventTime":"2026-03-01 10:00:00.500"}"#, #"{"EventID":1,"UtcTime":"2026-03-01 10:00:00.500"}"#,
        #"{"System":{"EventID":1,"TimeCreated":{"SystemTime":1772359200.5}}}"#,
        #"{"UtcTime":"2026-03-01 09:59:59.000","EventID":1,"@timestamp":"2026-03-01T10:00:00.500Z"}"#,
    ])
    func flatObjectsHaveTimes(text: String) throws {
        let event = try #require(read(text).events.first)
        #expect(event.hasOwnTime)
        #expect(event.time.rfc3339.hasPrefix("2026-03-01T10:00:00.5"))
    }

    @Test("a name is known again, whatever stood in its place in between") func manyNames() throws {
        var text = ""
        for round in 0..<3 {
            for number in 0..<600 { text += #"{"Name\#(number)":"x","Image":"i\#(round)","Name\#(number)Long":"y"}"# + "\n" }
        }
        let events = read(text).events
        #expect(events.count == 1800)
        for (number, event) in events.enumerated() { #expect(event.fields["Image"] == ["i\(number / 600)"]) }
    }

    @Test func dataElementsAreCalledByTheirNames() throws {
        let list =
            ##"{"EventData":{"Data":[{"#text":"a\\b","#attributes":{"Name":"Image"}},{"@Name":"CommandLine","#text":"c"}]}}"##
        let named = try fields(list)
        #expect(named["Image"] == [#"a\b"#] && named["CommandLine"] == ["c"] && named["Data"] == nil)
        #expect(try fields(#"{"EventData":{"Data":["one","two"]}}"#)["Data"] == ["one", "two"])
        #expect(try fields(##"{"EventData":{"Data":{"#text":["x"],"y":1}}}"##)["Data"] == nil)
    }

    @Test func userDataMayLieDeep() throws {
        #expect(try fields(#"{"Event":{"UserData":{"a":{"b":[{"c":{"Image":"x"}}]}}}}"#)["Image"] == ["x"])
    }

    @Test func namesAreComparedWithoutSpacesAndUnderscores() throws {
        let read = try fields(#"{"EventData":{"Threat Name":"t"},"System":{"ProviderName":"p"},"winlog":{"event_id":3}}"#)
        #expect(read["ThreatName"] == ["t"] && read["Provider_Name"] == ["p"] && read["EventID"] == ["3"])
    }

    @Test func valuesOfOneFieldAreNeighbours() throws {
        let text = #"{"System":{"Level":4,"Channel":"x"},"EventData":{"Image":"\\a","Level":"\\b","Data":1}}"#
        let read = try fields(text)
        #expect(read["Level"] == ["4", #"\b"#] && read["Image"] == [#"\a"#])
    }

    @Test func eventsKeepTheirFieldsToThemselves() {
        let (events, _) = read(#"{"Image":"a","Level":1}{"Level":2,"Image":"b","EventData":{"Level":"\\"}}"#)
        #expect(events.map { $0.fields["Level"] } == [["1"], ["2", #"\"#]])
        #expect(events.map { $0.fields["Image"] } == [["a"], ["b"]])
    }

    @Test func hashesAreParted() throws {
        let read = try fields(#"{"Hashes":"SHA1=12,ImpHash=AB,MD5"}"#)
        #expect(read["Imphash"] == ["AB"] && read["Hashes"] == ["SHA1=12,ImpHash=AB,MD5"])
    }

    @Test(arguments: [
        (#"{"Channel":"Sysmon/Operational","EventID":1}"#, LogSourceID.sshd),
        (#"{"EventID":5,"Channel":"SYSMON\/Operational"}"#, .sshd), (#"{"Channel":"Sysmon/Operational","EventID":15}"#, .sudo),
        (#"{"Channel":"Sysmon"}"#, .su), (#"{}"#, .su),
    ])
    func theLogSourceIsTold(event: String, source: LogSourceID) throws {
        #expect(try #require(read(event).events.first).logSource == LogSourceTable()[source])
    }

    @Test(arguments: [
        ("{\"EventID\":1}\n{\"EventID\":2}\n", ["1", "2"]), ("{\"EventID\":1}{\"EventID\":2}", ["1", "2"]),
        ("\u{FEFF}[\n  {\n  \"EventID\": 1\n  },\n  {\"EventID\":\n2}\n]\n", ["1", "2"]),
        ("\u{FEFF}{\"EventID\":\"a}{\\\"\"}\r\n\r\n{\"EventID\":2}", ["a}{\"", "2"]), ("[]", []), (" \n", []),
        ("{\"EventID\":1, \"broken\n{\"EventID\":2}\n", ["2"]), ("{\"EventID\":1}\nrubbish\n{\"EventID\":3}\n", ["1", "3"]),
        ("{\n\"a\": {\n\"EventID\": 1\n}\n}\n{\n\"EventID\": 2\n}", ["1", "2"]),
    ])
    func valuesAreFramed(text: String, numbers: [String]) {
        let (events, counters) = read(text)
        #expect(events.flatMap { $0.fields["EventID"] ?? [] } == numbers)
        #expect(counters.lines == counters.parsed + counters.unparsed)
        #expect(counters.parsed == numbers.count)
    }

    @Test func aValueThatNeverEndsIsCutAndTheNextLineBeginsAnew() {
        let (events, counters) = read("{ \"a\": \"" + String(repeating: "x", count: 300_000) + "\n{\"EventID\":2}\n")
        #expect(events.compactMap { $0.fields["EventID"] } == [["2"]])
        #expect(counters.overlong == 1 && counters.unparsed == 1)
    }

    @Test func deepNestingIsRefused() {
        let deep = String(repeating: "{\"a\":", count: 40) + "1" + String(repeating: "}", count: 40)
        #expect(read(deep).counters.unparsed == 1)
        #expect(read(String(repeating: "[", count: 10_000)).counters.lines == 0)
    }

    @Test("framing does not depend on where the reads end; nothing traps, and every byte is passed once")
    func chunks() {
        var generator = SeededGenerator(state: 7)
        let pieces = [
            #"{"EventID":1,"Image":"C:\\a"}"#, "\n", " ", ",", "[", "]", "{", "}", "\"", "\\", "\u{FEFF}", "{\n \"Channel\": {\n",
            "rubbish\n",
            ##"{"Event":{"EventData":{"Data":[{"#attributes":{"Name":"Image"},"#text":"x"}]}}}"##, "\r\n",
            #"{"Hashes":"IMPHASH=a,"}"#, "#text",
        ]
        for _ in 0..<300 {
            var text: [UInt8] = []
            for _ in 0..<Int.random(in: 1...30, using: &generator) {
                text += Array(pieces[Int.random(in: 0..<pieces.count, using: &generator)].utf8)
            }
            let whole = cut(text, [text.count])
            var sizes: [Int] = []
            while sizes.reduce(0, +) < text.count { sizes.append(Int.random(in: 1...9, using: &generator)) }
            #expect(cut(text, sizes) == whole)
        }
    }

    /// The values of the bytes as they arrive in chunks, parsed as they come.
    private func cut(_ bytes: [UInt8], _ sizes: [Int]) -> [[UInt8]] {
        var parser = BatchParser(format: .windows, plan: JSONFieldPlan(Self.table, taxonomy: Self.taxonomy))
        var assembler = LineAssembler(framing: .jsonValues)
        var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))
        var lines: [RawLine] = []
        var values: [[UInt8]] = []
        var start = 0
        for size in sizes + [0] {
            assembler.begin(&batch)
            batch.bytes.append(contentsOf: bytes[start..<min(bytes.count, start + size)])
            start = min(bytes.count, start + size)
            let from = assembler.offset
            assembler.finish(batch, isFinal: size == 0, into: &lines)
            for line in lines { values.append(Array(batch.bytes[line.range.bounds])) }
            parser.parse(lines, of: &batch, consumed: assembler.offset - from, reference: Reading.reference)
            #expect(batch.isGrouped)
        }
        #expect(assembler.readOffset == Int64(bytes.count))
        #expect(parser.counters.bytes == bytes.count)
        return values
    }
}
