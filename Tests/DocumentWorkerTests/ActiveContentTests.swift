import Testing

@testable import DocumentWorker

/// What documents do or carry beyond showing pages, wherever in them it stands and however it is written.
@Suite("Active content") struct ActiveContentTests {
    private let worker: DocumentWorker = {
        var configuration = DocumentWorker.Configuration()
        configuration.spareProcesses = 0
        configuration.limits.cpuSeconds = 120
        configuration.limits.seconds = 3_600
        return DocumentWorker(configuration)
    }()

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        /// What stands in the catalog.
        var catalog = ""
        /// What stands in the page.
        var page = ""
        var expected: [DocumentReport.Suspicion]

        var testDescription: String { name }
    }

    private static let link = "/Subtype /Link /Rect [0 0 9 9]"
    static let cases: [Case] = [
        Case(name: "script at opening", catalog: "/OpenAction << /S /JavaScript /JS (1) >>", expected: [.script, .automatic]),
        Case(name: "script of a page", page: "/AA << /O << /S /JavaScript /JS (1) >> >>", expected: [.script, .automatic]),
        Case(
            name: "script of a field, on a key",
            catalog: "/AcroForm << /Fields [<< /FT /Tx /T (a) /AA << /K << /S /JavaScript /JS (1) >> >> >>] >>",
            expected: [.script]),
        Case(
            name: "script by name", catalog: "/Names << /JavaScript << /Names [(a) << /S /JavaScript /JS (1) >>] >> >>",
            expected: [.script]),
        Case(
            name: "script behind a harmless action",
            catalog: "/OpenAction << /S /GoTo /D [0 /Fit] /Next << /S /GoTo /Next [<< /S /JavaScript /JS (1) >>] >> >>",
            expected: [.script, .automatic]),
        Case(
            name: "script of a rendition", page: "/Annots [<< \(link) /A << /S /Rendition /JS (1) >> >>]", expected: [.script]),
        Case(
            name: "script of an outline",
            catalog: "/Outlines << /First << /Title (a) /A << /S /JavaScript /JS (1) >> >> >>", expected: [.script]),
        Case(name: "program", page: "/Annots [<< \(link) /A << /S /Launch /F (calc.exe) >> >>]", expected: [.launch]),
        Case(name: "program at closing", catalog: "/AA << /WC << /S /Launch /F (x) >> >>", expected: [.launch, .automatic]),
        Case(name: "file inside", catalog: "/Names << /EmbeddedFiles << /Names [] >> >>", expected: [.attachment]),
        Case(
            name: "file of an annotation",
            page: "/Annots [<< /Subtype /FileAttachment /Rect [0 0 9 9] /FS << /Type /Filespec /F (a) >> >>]",
            expected: [.attachment]),
        Case(name: "associated file", catalog: "/AF [<< /Type /Filespec /EF << >> >>]", expected: [.attachment]),
        Case(name: "portfolio", catalog: "/Collection << /View /T >>", expected: [.attachment]),
        Case(name: "film", page: "/Annots [<< /Subtype /RichMedia /Rect [0 0 9 9] >>]", expected: [.media]),
        Case(name: "sound", page: "/Annots [<< /Subtype /Sound /Rect [0 0 9 9] /Sound 3 0 R >>]", expected: [.media]),
        Case(
            name: "sound at opening", catalog: "/OpenAction << /S /Sound /Sound 3 0 R >>", expected: [.media, .automatic]),
        Case(name: "film on a click", page: "/Annots [<< \(link) /A << /S /Movie /T (a) >> >>]", expected: [.media]),
        Case(name: "form that is a program", catalog: "/AcroForm << /XFA [(template) 3 0 R] >>", expected: [.formProgram]),
        Case(
            name: "form that is sent", page: "/Annots [<< \(link) /A << /S /SubmitForm /F (https://x.example) >> >>]",
            expected: [.submission]),
        Case(
            name: "file link", page: "/Annots [<< \(link) /A << /S /URI /URI (file:///etc/passwd) >> >>]", expected: [.localLink]),
        Case(
            name: "file link in UTF-16, capitals and white space",
            page: "/Annots [<< \(link) /A << /S /URI /URI <FEFF00200046004900" + "4C0045003A002F002F> >> >>]",
            expected: [.localLink]),
        Case(name: "script link", page: "/Annots [<< \(link) /A << /S /URI /URI (javascript:1) >> >>]", expected: [.localLink]),
        Case(
            name: "share in another document",
            page: "/Annots [<< \(link) /A << /S /GoToR /F (\\\\\\\\203.0.113.9\\\\s) /D [0] >> >>]",
            expected: [.localLink]),
        Case(
            name: "it calls home when it is opened", catalog: "/OpenAction << /S /URI /URI (https://x.example/seen) >>",
            expected: [.automatic]),
        Case(
            name: "it calls home when a page is closed", page: "/AA << /C << /S /URI /URI (https://x.example/seen) >> >>",
            expected: [.automatic]),
        Case(
            name: "it calls home when the page of an annotation is closed",
            page: "/Annots [<< \(link) /AA << /PC << /S /URI /URI (https://x.example/seen) >> >> >>]", expected: [.automatic]),
        Case(
            name: "it calls home when an annotation is no longer seen",
            page: "/Annots [<< \(link) /AA << /PI << /S /URI /URI (https://x.example/seen) >> >> >>]", expected: [.automatic]),
        Case(
            name: "files as what all links begin with", catalog: "/URI << /Base (file:///srv/) >>", expected: [.localLink]),
        Case(
            name: "script of a field that is reckoned up, when another was typed",
            catalog: "/AcroForm << /Fields [<< /FT /Tx /T (a) /AA << /C << /S /JavaScript /JS (1) >> >> >>] >>",
            expected: [.script]),
    ]

    /// What ordinary documents have, and what looks like the above and is not.
    static let harmless: [Case] = [
        Case(
            name: "a link of the web", page: "/Annots [<< \(link) /A << /S /URI /URI (https://x.example/a.js) >> >>]",
            expected: []),
        Case(name: "what all links begin with", catalog: "/URI << /Base (https://x.example/) >>", expected: []),
        Case(name: "another place when a page is closed", page: "/AA << /C << /S /GoTo /D [10 0 R /Fit] >> >>", expected: []),
        Case(name: "the first page at opening", catalog: "/OpenAction [10 0 R /Fit]", expected: []),
        Case(name: "a place at opening", catalog: "/OpenAction << /S /GoTo /D [10 0 R /XYZ 0 0 0] >>", expected: []),
        Case(
            name: "words about it", catalog: "/Lang (/JavaScript /JS /Launch /EmbeddedFiles) /Note (/S /JavaScript)", expected: []
        ),
        Case(name: "an empty name tree", catalog: "/Names << /JavaScript null /Dests << /Names [] >> >>", expected: []),
        Case(name: "a print of an annotation", page: "/Annots [<< \(link) /F 4 /Border [0 0 0] >>]", expected: []),
    ]

    private static func objects(_ item: Case) -> [(Int, String)] {
        Documents.textObjects(catalog: item.catalog).map { number, body in
            number == 10 ? (number, body.replacing("/Type /Page ", with: "/Type /Page \(item.page) ")) : (number, body)
        }
    }

    private func content(_ pdf: [UInt8]) async throws -> Set<DocumentReport.Suspicion> {
        Set(try await worker.inspect(.bytes(pdf)).suspicions)
    }

    @Test("is found where it stands", arguments: cases + harmless) func plain(_ item: Case) async throws {
        #expect(try await content(Documents.file(Self.objects(item))) == Set(item.expected))
    }

    /// Every letter of every name but the page tree's is written as its number: `/#4A#53` is `/JS`.
    @Test("is found with its names escaped", arguments: cases) func escaped(_ item: Case) async throws {
        func escape(_ text: String) -> String {
            text.replacing(#/\/([A-Za-z0-9]+)/#) { match in
                "/" + match.output.1.utf8.map { "#" + (String($0, radix: 16)) }.joined()
            }
        }
        var escaped = item
        // Texts in brackets are no names.
        for keyPath in [\Case.catalog, \Case.page] {
            escaped[keyPath: keyPath] = item[keyPath: keyPath].split(separator: "(", omittingEmptySubsequences: false)
                .enumerated()
                .map { index, part in
                    guard index > 0, let end = part.firstIndex(of: ")") else { return escape(String(part)) }
                    return "(" + part[..<end] + escape(String(part[end...]))
                }.joined()
        }
        #expect(try await content(Documents.file(Self.objects(escaped))) == Set(item.expected))
    }

    @Test("is found in object streams, where no byte of it is in the clear", arguments: cases) func compressed(
        _ item: Case
    ) async throws {
        #expect(try await content(Documents.compressed(Self.objects(item))) == Set(item.expected))
    }

    @Test("is found behind a broken table, and in what was added to a document later") func later() async throws {
        let item = Self.cases[0]
        #expect(try await content(Documents.file(Self.objects(item), table: false)) == Set(item.expected))
        let first = Documents.text()
        let added = "1 0 obj\n<< /Type /Catalog /Pages 2 0 R \(item.catalog) >>\nendobj\n"
        let place = String(first.count + 1)
        let table = first.count + 1 + added.utf8.count
        let start = String(decoding: first, as: UTF8.self).split(separator: "\n").dropLast().last ?? ""
        let update =
            "\n\(added)xref\n1 1\n\(String(repeating: "0", count: 10 - place.count))\(place) 00000 n \n"
            + "trailer\n<< /Size 9999 /Root 1 0 R /Prev \(start) >>\nstartxref\n\(table)\n%%EOF\n"
        #expect(try await content(first + Array(update.utf8)) == Set(item.expected))
    }

    @Test("loops and depths end") func loops() async throws {
        let loop = Documents.file(
            Documents.textObjects(catalog: "/A 80 0 R") + [
                (80, "[81 0 R 80 0 R]"), (81, "<< /Next 80 0 R /A << /S /JavaScript /Next 81 0 R >> >>"),
            ])
        #expect(try await content(loop) == [.script])
        let deep = String(repeating: "[", count: 400) + "<< /S /Launch >>" + String(repeating: "]", count: 400)
        #expect(try await content(Documents.file(Documents.textObjects(catalog: "/A \(deep)"))) == [.launch])
    }
}
