package import Events
import Foundation
import Glibc
import NIOCore

/// What one receiver of a configuration would do, or does: `vigie check sources`.
package struct ReceiverCheck: Sendable {
    /// What becomes of a socket that is to listen there.
    package enum Port: String, Sendable {
        case free
        /// Somebody listens there, and the server of the data folder runs.
        case listening
        case taken
        /// Nobody could listen there: this machine has no such address, or whoever asks may not.
        case refused
    }

    /// `https://0.0.0.0:8443`, `syslog over udp on 127.0.0.1:514`.
    package var name: String
    package var port: Port
    /// Why it could not take anything; `nil` where it could.
    package var problem: String?
    package var warnings: [String] = []
    /// What a server on that data folder had counted of each of its protocols when it last saved its positions.
    package var server: [(name: String, counters: SourceCounters)]

    /// Looks at every receiver. Ports are tried, for a moment, and nothing is taken.
    ///
    /// - Throws: `ServerError` where there is a snapshot that cannot be read.
    package static func run(_ options: ServerOptions) throws -> [ReceiverCheck] {
        let folder = DataFolder(path: options.dataFolder)
        let snapshot = try DetectionSnapshot.load(folder)
        let isRunning = isServerRunning(folder)
        func counted(_ names: [String]) -> [(name: String, counters: SourceCounters)] {
            var list: [(name: String, counters: SourceCounters)] = []
            for name in names {
                guard let state = snapshot?.states.first(where: { $0.path == folder.spool(name) }) else { continue }
                list.append((name: name, counters: state.counters))
            }
            return list
        }
        let http = options.receivers.http.enumerated().map { place, http in
            // All of them write the same spools, so what was counted stands with the first.
            ReceiverCheck(
                "http\(http.tls == nil ? "" : "s")://\(http.listen.text)", http.listen, isDatagram: false, http.tls, isRunning,
                counted(place == 0 ? Receivers.protocols : []))
        }
        let syslog = options.receivers.syslog.map { syslog in
            ReceiverCheck(
                "syslog over \(syslog.transport.rawValue) on \(syslog.listen.text)", syslog.listen,
                isDatagram: syslog.transport == .udp, syslog.tls, isRunning, counted([Receivers.name(syslog)]))
        }
        return http + syslog
    }

    private init(
        _ name: String, _ listen: ListenAddress, isDatagram: Bool, _ tls: ReceiverTLSOptions?, _ isRunning: Bool,
        _ server: [(name: String, counters: SourceCounters)]
    ) {
        self.name = name
        self.server = server
        switch ReceiverCheck.trial(listen, isDatagram: isDatagram) {
        case 0:
            port = .free
            if isRunning { warnings.append("the server that runs does not listen here: its configuration was another one") }
        case EADDRINUSE where isRunning: port = .listening
        case EADDRINUSE:
            port = .taken
            problem = "port \(listen.port) on \(listen.host) is taken by another program; `ss -lntup` names it"
        case EACCES:
            port = .refused
            // The server's user may be another one, which systemd lets.
            warnings.append("whether it can listen there is not known: this user may not listen on \(listen.text)")
        case let code:
            port = .refused
            problem = "nobody can listen on \(listen.text): \(String(cString: strerror(code)))"
        }
        do {
            _ = try tls?.configuration()
        } catch {
            problem = [problem, "\(error)"].compactMap { $0 }.joined(separator: "; ")
        }
    }

    /// Why a socket cannot listen there; 0 where it can.
    private static func trial(_ listen: ListenAddress, isDatagram: Bool) -> Int32 {
        guard let address = try? SocketAddress.makeAddressResolvingHost(listen.host, port: listen.port) else {
            return EADDRNOTAVAIL
        }
        let family: Int32
        switch address {
        case .v4: family = AF_INET
        case .v6: family = AF_INET6
        case .unixDomainSocket: return EADDRNOTAVAIL
        }
        let descriptor = socket(family, Int32(isDatagram ? SOCK_DGRAM.rawValue : SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        if !isDatagram {
            // As the server itself: connections that have just ended hold a port no longer.
            var isReused: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &isReused, socklen_t(MemoryLayout<Int32>.size))
        }
        let outcome = address.withSockAddr { pointer, size in bind(descriptor, pointer, socklen_t(size)) }
        return outcome == 0 ? 0 : errno
    }

    /// By the process that the lock of the journal names: trying the lock could keep a server from starting.
    private static func isServerRunning(_ folder: DataFolder) -> Bool {
        guard let text = try? String(contentsOfFile: folder.journal + "/lock", encoding: .utf8),
            let process = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)), process > 0
        else { return false }
        return kill(process, 0) == 0 || errno == EPERM
    }
}
