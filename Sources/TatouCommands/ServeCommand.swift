import ArgumentParser
import DocumentWorker
import Foundation
import Guard
import Hummingbird
import Logging
import Tatou

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serves the platform until it is stopped by SIGTERM or SIGINT.",
        discussion: """
            Secrets come by the environment: TATOU_METRICS_TOKEN opens /metrics, TATOU_READ_BACK_TOKEN opens what Vigie reads back, \
            TATOU_VIGIE_TOKEN is shown to Vigie, TATOU_RMAP_PASSPHRASE opens RMAP's private key. The security log is logs/app.log in the data folder. Serves plain HTTP: put a \
            server with TLS in front of it where it is reached from elsewhere, and name that one with --trusted-proxy.
            """)

    @OptionGroup var folder: DataOptions

    @Option(help: "Address and port to listen on.")
    var listen = "127.0.0.1:5000"

    @Option(help: "Address or network of a proxy whose X-Forwarded-For is believed; may be repeated.")
    var trustedProxy: [String] = []

    @Option(help: "Where Vigie offers its decisions; none is followed without.")
    var vigie: String?

    @Option(help: "Seconds that a sign-in is good for.")
    var tokenSeconds: Int64 = 86_400

    @Option(help: "Megabytes that a document may have.")
    var documentMegabytes = 50

    @Option(help: "Where the canary file stands; canary/flag in the data folder unless told otherwise.")
    var canary: String?

    @Flag(help: "Counts a canary that others may read as damaged.")
    var strictCanary = false

    @Option(help: "The program that reads documents; tatou-worker beside this one unless told otherwise.")
    var worker: String?

    @Option(
        help:
            "Where clamd listens, which scans uploads for malware: /run/clamav/clamd.ctl or HOST:PORT; none are scanned without.")
    var clamd: String?

    @Option(help: "What becomes of an upload that clamd says nothing of: refuse or accept.")
    var withoutVerdict = "refuse"

    @Option(
        help: """
            What a document may not do or carry to be taken in, may be repeated: launch, script, automatic_action, local_link, \
            form_submission, form_program, rich_media, attachment, or all; without, it is taken in with a warning.
            """)
    var refuseContent: [String] = []

    @Option(help: "Folder of RMAP's keys: server.asc and clients/NAME.asc; no RMAP without.")
    var rmapKeys: String?

    @Option(help: "Number of the document of which RMAP hands out copies.")
    var rmapDocument: Int64?

    @Flag(help: "RMAP's last answer goes out in the clear, for clients of its first versions.")
    var rmapClear = false

    @Flag(help: "Limits no rates: for load tests.")
    var unlimited = false

    func run() async throws {
        let (host, port) = try Self.place(listen)
        let environment = ProcessInfo.processInfo.environment
        var options = Platform.Options(data: folder.data)
        options.tokenLifetime = try Self.positive(tokenSeconds, "--token-seconds")
        options.documents.documentBytes = Int(try Self.positive(Int64(documentMegabytes), "--document-megabytes")) << 20
        options.guarding.trustedProxies = trustedProxy
        options.guarding.metricsToken = environment["TATOU_METRICS_TOKEN"]
        options.guarding.readBackToken = environment["TATOU_READ_BACK_TOKEN"]
        if let vigie {
            guard let token = environment["TATOU_VIGIE_TOKEN"], !token.isEmpty else {
                throw CommandFailure(description: "--vigie needs TATOU_VIGIE_TOKEN in the environment")
            }
            options.guarding.vigie = Vigie(url: vigie, token: token, cache: "\(folder.data)/state/decisions.ndjson")
        }
        options.scanning = try scanning()
        options.documents.refusedContent = try refusedContent()
        if unlimited { options.rates = .unlimited }
        var logger = Logger(label: "tatou")
        logger.logLevel = .notice
        var working = DocumentWorker.Configuration()
        working.program = worker
        working.limits.inputBytes = max(working.limits.inputBytes, options.documents.documentBytes)
        let documentWorker = DocumentWorker(working)
        defer { documentWorker.stop() }
        let processing = SandboxedProcessing(documentWorker)
        do {
            _ = try await processing.methods()
        } catch {
            throw CommandFailure(description: "documents cannot be read: \(error.message)")
        }
        let server = try await TatouServer(
            options, processing: processing, logger: logger,
            canary: folder.canary(path: canary, isStrict: strictCanary), rmap: try rmap(environment))
        let application = server.application(host: host, port: port, logger: logger) { [data = folder.data] port in
            Output.line("tatou serves on http://\(host):\(port), data in \(data)")
        }
        try await application.runService()
    }

    private func rmap(_ environment: [String: String]) throws -> RMAPOptions? {
        guard let rmapKeys else {
            guard rmapDocument == nil, !rmapClear else {
                throw CommandFailure(description: "--rmap-document and --rmap-clear need --rmap-keys")
            }
            return nil
        }
        guard let rmapDocument else {
            throw CommandFailure(description: "--rmap-keys needs --rmap-document: the number of the document to hand out")
        }
        var options = RMAPOptions(folder: rmapKeys, document: rmapDocument)
        options.passphrase = environment["TATOU_RMAP_PASSPHRASE"]
        options.answersInClear = rmapClear
        return options
    }

    private func scanning() throws -> MalwareScanning? {
        guard let policy = MalwareScanning.WithoutVerdict(rawValue: withoutVerdict) else {
            throw CommandFailure(description: "--without-verdict is refuse or accept; it says \(withoutVerdict)")
        }
        guard let clamd else { return nil }
        guard let address = ClamdScanner.Address(clamd) else {
            throw CommandFailure(description: "--clamd takes /run/clamav/clamd.ctl or HOST:PORT; it says \(clamd)")
        }
        return MalwareScanning(scanner: ClamdScanner(address), withoutVerdict: policy)
    }

    private func refusedContent() throws -> Set<ContentFinding> {
        try refuseContent.reduce(into: []) { refused, word in
            if word == "all" { return refused.formUnion(ContentFinding.allCases) }
            guard let finding = ContentFinding(rawValue: word) else {
                let known = ContentFinding.allCases.map(\.rawValue).joined(separator: ", ")
                throw CommandFailure(description: "--refuse-content is one of \(known), or all; it says \(word)")
            }
            refused.insert(finding)
        }
    }

    static func place(_ text: String) throws -> (host: String, port: Int) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port),
            colon != text.startIndex
        else { throw CommandFailure(description: "--listen takes HOST:PORT, as 127.0.0.1:5000; it says \(text)") }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return (host, port)
    }

    private static func positive(_ number: Int64, _ option: String) throws -> Int64 {
        guard (1...315_360_000).contains(number) else {
            throw CommandFailure(description: "\(option) must be from 1 to 315360000; it says \(number)")
        }
        return number
    }
}
