package import Events
import Foundation

/// Collects by itself what an incident needs while it is still there, what goes first first (RFC 3227 §2.1).
///
/// One source that cannot be read does not keep the others from being collected: it is named in the outcome. Blocks while it reads.
package struct EvidenceCapture {
    package enum Source: Hashable, Sendable {
        /// Which programs run, under which account, in which container, with which arguments: from `/proc`.
        case processes
        /// Open TCP and UDP sockets: from `/proc/net`.
        case sockets
        /// The last bytes of a log, from the beginning of a line.
        case tail(path: String, byteCount: Int)
        /// A whole file of at most ``EvidenceCapture/fileLimit`` bytes; a suspicious one leaves the store encrypted only.
        case file(path: String, isSuspicious: Bool)
        /// What the caller has: the incident's events, metrics, hashes of configuration and rules.
        case bytes(name: String, source: String, [UInt8], Volatility)

        package var volatility: Volatility {
            switch self {
            case .processes, .sockets: .memory
            case .tail: .disk
            case .file(let path, _):
                path.hasPrefix("/tmp/") || path.hasPrefix("/dev/shm/") || path.hasPrefix("/run/") ? .temporaryFiles : .disk
            case .bytes(_, _, _, let volatility): volatility
            }
        }

        /// Where its bytes come from, as the item says; `proc` apart, which only the capture knows.
        package var origin: String? {
            switch self {
            case .processes, .sockets: nil
            case .tail(let path, _), .file(let path, _): path
            case .bytes(_, let source, _, _): source
            }
        }

        package var name: String {
            switch self {
            case .processes: "processes.txt"
            case .sockets: "sockets.txt"
            case .tail(let path, _): "\(path).tail"
            case .file(let path, _): path
            case .bytes(let name, _, _, _): name
            }
        }
    }

    /// Who collects what is collected by itself.
    package static let collector = "vigie"
    package static let fileLimit: UInt64 = 256 << 20

    package struct Outcome: Sendable {
        /// To be written down, in this order.
        package var items: [EvidenceItem] = []
        package var failures: [(source: Source, reason: String)] = []
    }

    private let store: BlobStore
    private let host: String
    private let proc: String

    /// - Parameter proc: where the kernel shows processes; tests have one of their own.
    package init(store: BlobStore, host: String, proc: String = "/proc") {
        self.store = store
        self.host = host
        self.proc = proc
    }

    /// - Parameters:
    ///   - occurredAt: when the incident happened, as far as is known.
    ///   - now: asked for each item.
    package func capture(
        _ sources: [Source], incident: String, marking: TrafficLight = .amber, occurredAt: Timestamp, now: () -> Timestamp
    ) -> Outcome {
        var outcome = Outcome()
        for source in sources.sorted(by: { $0.volatility < $1.volatility }) {
            do {
                let (sealed, origin, isSuspicious) = try collect(source)
                outcome.items.append(
                    EvidenceItem(
                        id: EvidenceItem.newID(), incident: incident, sha256: sealed.sha256, size: sealed.size, name: source.name,
                        source: origin, collector: Self.collector, host: host, clockOffset: 0, occurredAt: occurredAt,
                        collectedAt: now(),
                        volatility: source.volatility, marking: marking, isSuspicious: isSuspicious))
            } catch {
                outcome.failures.append((source, "\(error)"))
            }
        }
        return outcome
    }

    /// Where an item says that its bytes come from.
    package func origin(of source: Source) -> String { source.origin ?? (source == .sockets ? "\(proc)/net" : proc) }

    private func collect(_ source: Source) throws -> (BlobStore.Sealed, source: String, isSuspicious: Bool) {
        let origin = origin(of: source)
        return switch source {
        case .processes: (try store.add(try processes()), origin, false)
        case .sockets: (try store.add(try sockets()), origin, false)
        case .tail(let path, let byteCount): (try store.add(try tail(path, byteCount)), origin, false)
        case .file(let path, let isSuspicious):
            (try store.add(ByteFile.readingForeign(path, limit: Self.fileLimit)), origin, isSuspicious)
        case .bytes(_, _, let bytes, _): (try store.add(bytes), origin, false)
        }
    }

    /// A process that ends while it is looked at is left out.
    private func processes() throws -> [UInt8] {
        let ids = try FileManager.default.contentsOfDirectory(atPath: proc).compactMap { Int($0) }.sorted()
        var lines = "pid\tppid\tuid\tname\tcgroup\tprogram\targuments\n"
        for id in ids {
            guard let status = contents("\(id)/status") else { continue }
            let field = { (name: String) in
                status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
                    .map { $0.dropFirst(name.utf8.count + 1).split(separator: "\t").first.map(String.init) ?? "" } ?? ""
            }
            let arguments = contents("\(id)/cmdline")?.split(separator: "\0").joined(separator: " ") ?? ""
            // Names the container or the service: `0::/system.slice/docker-ab12….scope`.
            let group = contents("\(id)/cgroup")?.split(separator: "\n").last.map(String.init) ?? ""
            let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(proc)/\(id)/exe")) ?? ""
            let columns = [String(id), field("PPid"), field("Uid"), field("Name"), group, program, arguments]
            lines += columns.map(Self.oneLine).joined(separator: "\t") + "\n"
        }
        return Array(lines.utf8)
    }

    private func sockets() throws -> [UInt8] {
        var text = ""
        for name in ["tcp", "tcp6", "udp", "udp6"] {
            if let table = contents("net/\(name)") { text += "\(name)\n\(table)" }
        }
        guard !text.isEmpty else { throw EvidenceError(.file, "\(proc)/net shows no sockets") }
        return Array(text.utf8)
    }

    private func tail(_ path: String, _ byteCount: Int) throws -> [UInt8] {
        let file = try ByteFile.readingForeign(path, limit: UInt64(byteCount))
        let start = try file.skip(toLast: byteCount)
        let bytes = try file.next(byteCount)
        guard start > 0, let end = bytes.firstIndex(of: 0x0A) else { return bytes }
        return Array(bytes[(end + 1)...])
    }

    /// What the kernel says about load, memory and pressure.
    package func load() -> [String: String] {
        var found: [String: String] = [:]
        for name in ["loadavg", "meminfo", "uptime", "stat", "pressure/cpu", "pressure/memory", "pressure/io"] {
            found[name] = contents(name).map { String($0.prefix(4096)) }
        }
        return found
    }

    /// At most a megabyte of a file of the kernel's, which has no size of its own.
    private func contents(_ name: String) -> String? {
        guard let handle = FileHandle(forReadingAtPath: "\(proc)/\(name)") else { return nil }
        defer { try? handle.close() }
        return (try? handle.read(upToCount: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// An argument with a line feed would look like another process.
    private static func oneLine(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
    }
}
