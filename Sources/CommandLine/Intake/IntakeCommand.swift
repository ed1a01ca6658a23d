import ArgumentParser
import Events
import Evidence
import Foundation
import Incidents
import Ingest
import Journal
import Server

struct IntakeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "intake", abstract: "Take in what people report.", subcommands: [IntakeMail.self])
}

struct IntakeMail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mail",
        abstract: "Take in one mail from standard input, as an alias of a mail server gives it.",
        discussion: """
            The mail is sealed as evidence, and becomes an incident in triage, or a note in the one that it answers. The same mail
            taken twice is taken once. In /etc/aliases:

              security: "|/usr/local/bin/vigie intake mail --data /var/lib/vigie"

            Exit codes are those that mail servers know (sysexits.h): 75 try again later, 65 refused, as too large or no mail.
            Vigie's user has to be the one that the mail server runs it as, or be called through sudo.
            """)

    @Option(help: "The data folder.")
    var data = "data"

    @OptionGroup var policies: PolicyOptions

    @Option(help: "How bad it is until somebody has looked: P0 to P3. Mail of programs (bounces, absence notes) is P3.")
    var severity = "P2"

    @Option(help: "What a mail may be large, in MiB.")
    var maximumSize = 25

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        guard let severity = Severity(severity) else {
            throw CommandFailure(.usage, "severity '\(severity)' is not known; known are P0 to P3, critical, high, medium, low")
        }
        guard (1...1024).contains(maximumSize) else { throw CommandFailure(.usage, "--maximum-size is 1 to 1024 MiB") }
        let bytes = try read()
        let message = MailMessage(parsing: bytes)
        let mail = ReportedMail(message, bytes: bytes)
        let answer: OrderSpool.Answer?
        do {
            answer = try await IncidentOffice.carryOut(
                OrderSpool.Request(mail, severity: message.isAutomatic ? .low : severity), in: DataFolder(path: data),
                policies: try policies.load())
        } catch let error as CommandFailure {
            throw error
        } catch {
            throw CommandFailure(.temporary, "the mail was not taken: \(error)")
        }
        switch answer {
        case nil: throw CommandFailure(.temporary, "the server that holds \(data) does not answer; the mail was not taken")
        case .refused(let refusal): throw CommandFailure(.dataError, "the mail was not taken: \(refusal)")
        case .done(let incident):
            do {
                try await seal(bytes, of: incident)
            } catch {
                throw CommandFailure(.temporary, "\(incident) is there, the mail is not sealed yet: \(error)")
            }
            Output.line(json ? FindingJSON.text(["incident": .string(incident)]) : incident)
        }
    }

    /// Up to one byte more than may be: what is larger is not read to its end.
    private func read() throws -> [UInt8] {
        let limit = maximumSize << 20
        var bytes: [UInt8] = []
        while bytes.count <= limit, let some = try FileHandle.standardInput.read(upToCount: 1 << 20), !some.isEmpty {
            bytes += some
        }
        guard bytes.count <= limit else {
            throw CommandFailure(.dataError, "the mail is larger than \(maximumSize) MiB; --maximum-size allows more")
        }
        guard bytes.contains(where: { $0 != 0x0A && $0 != 0x0D && $0 != 0x20 }) else {
            throw CommandFailure(.dataError, "there is no mail on standard input")
        }
        return bytes
    }

    private func seal(_ bytes: [UInt8], of incident: String) async throws {
        let folder = try EvidenceFolder(data: data)
        let now = Timestamp.system
        let sealed = try folder.store.add(bytes)
        // Taken before, and not answered: it is sealed once.
        let known = try EvidenceFolder.items(in: folder.folder, of: incident).items
        if !known.contains(where: { $0.sha256 == sealed.sha256 }) {
            let item = EvidenceItem(
                id: EvidenceItem.newID(), incident: incident, sha256: sealed.sha256, size: sealed.size, name: "mail.eml",
                source: "mail", collector: folder.actor, host: ProcessInfo.processInfo.hostName, clockOffset: nil,
                occurredAt: now, collectedAt: now, volatility: .disk, marking: .amber, isSuspicious: true)
            try await folder.record(item.draft(actor: folder.actor))
        }
        await folder.close()
    }
}
