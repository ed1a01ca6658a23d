import Glibc

/// Asks ClamAV's daemon, clamd(8), by its `INSTREAM` command: the file goes through the socket, so that clamd needs no right to read it.
package struct ClamdScanner: MalwareScanner {
    package enum Address: Sendable, Equatable {
        case unix(path: String)
        case network(host: String, port: String)

        /// `unix:/run/clamav/clamd.ctl`, `/run/clamav/clamd.ctl` or `HOST:PORT`; nil where it is neither.
        package init?(_ text: String) {
            let path = text.hasPrefix("unix:") ? String(text.dropFirst(5)) : text
            if path.hasPrefix("/") {
                // sun_path, with its end.
                guard path.utf8.count < 108 else { return nil }
                self = .unix(path: path)
                return
            }
            guard let colon = text.lastIndex(of: ":"), colon != text.startIndex else { return nil }
            let port = String(text[text.index(after: colon)...])
            guard let number = Int(port), (1...65_535).contains(number) else { return nil }
            var host = String(text[..<colon])
            if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
            self = .network(host: host, port: port)
        }
    }

    let address: Address
    /// Larger files are not sent: clamd's `StreamMaxLength`, 100 MiB unless its configuration says otherwise.
    let mostBytes: Int
    /// On the clock, for all of it.
    let seconds: Double

    package init(_ address: Address, mostBytes: Int = 100 << 20, seconds: Double = 30) {
        self.address = address
        self.mostBytes = mostBytes
        self.seconds = seconds
    }

    package func scan(_ path: String) async throws(ScanFailure) -> ScanVerdict {
        do {
            return try await DocumentFolder.blocking { try verdict(path) }
        } catch let failure as ScanFailure {
            throw failure
        } catch {
            throw ScanFailure(description: "clamd could not be asked: \(error)")
        }
    }

    // MARK: - One conversation

    private static let chunk = 64 << 10
    /// A reply is one line: a name for the stream, a signature's name, and a word.
    private static let longestReply = 4_096

    private func verdict(_ path: String) throws -> ScanVerdict {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw ScanFailure(description: "the file could not be opened: \(ClamdConnection.reason(errno))") }
        defer { close(file) }
        guard lseek(file, 0, SEEK_END) <= mostBytes, lseek(file, 0, SEEK_SET) == 0 else {
            throw ScanFailure(description: "the file is larger than \(mostBytes >> 20) MiB, the most that clamd is sent")
        }
        let connection = try ClamdConnection(address, until: .now + .seconds(seconds))
        do {
            try connection.send(Array("zINSTREAM\0".utf8))
            var buffer = [UInt8](repeating: 0, count: Self.chunk)
            while true {
                let count = read(file, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else {
                    throw ScanFailure(description: "the file could not be read: \(ClamdConnection.reason(errno))")
                }
                try connection.send(Self.length(count) + buffer[..<count])
                if count == 0 { break }
            }
        } catch let failure as ClamdConnection.Closed {
            // It may have said why before it hung up: a stream that is too long for it.
            return try Self.verdict(of: try connection.reply(most: Self.longestReply), otherwise: failure.description)
        }
        return try Self.verdict(of: try connection.reply(most: Self.longestReply), otherwise: "clamd hung up")
    }

    private static func length(_ count: Int) -> [UInt8] {
        let value = UInt32(count)
        return [UInt8(value >> 24), UInt8(value >> 16 & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)]
    }

    /// `stream: OK`, `stream: NAME FOUND`, or what went wrong and `ERROR`. What is neither is no verdict.
    static func verdict(of reply: [UInt8], otherwise: String) throws(ScanFailure) -> ScanVerdict {
        let line = String(decoding: reply.prefix { $0 != 0 && $0 != 0x0A }, as: UTF8.self)
        let found = " FOUND"
        if line == "stream: OK" { return .clean }
        if line.hasPrefix("stream: "), line.hasSuffix(found) {
            let name = line.dropFirst("stream: ".count).dropLast(found.count)
            return .infected(signature: printable(name.isEmpty ? "unnamed" : name))
        }
        throw ScanFailure(description: line.isEmpty ? otherwise : "clamd says: \(printable(line[...]))")
    }

    /// What goes into the log.
    private static func printable(_ text: Substring) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { (0x20..<0x7F).contains($0.value) }.prefix(200)))
    }
}
