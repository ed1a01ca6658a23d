import Foundation
import Glibc
import Synchronization

/// A server of few words on a free port: keeps what it is sent, and answers as it is told.
final class Catcher: Sendable {
    enum Speech: Sendable {
        /// The status of each answer in turn; the last is repeated.
        case http([Int])
        /// 200 with this body.
        case json(String)
        /// Takes one mail after the other; says `refusal` to recipients if there is one.
        case smtp(refusal: String?)
        /// Accepts connections, and says nothing.
        case silence
    }

    let port: Int
    private let socket: Int32
    private let caught = Mutex<[String]>([])

    var messages: [String] { caught.withLock { $0 } }

    init(_ speech: Speech) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(socket, pointer, length) == 0 && listen(socket, 16) == 0 && getsockname(socket, pointer, &length) == 0
            }
        }
        guard bound else { throw CocoaError(.fileWriteUnknown) }
        port = Int(UInt16(bigEndian: address.sin_port))
        self.socket = socket
        let caught = { @Sendable [self] (text: String) in self.caught.withLock { $0.append(text) } }
        Thread.detachNewThread {
            var count = 0
            while true {
                let connection = accept(socket, nil, nil)
                guard connection >= 0 else { return }
                switch speech {
                case .silence:
                    caught("connected")
                    continue
                case .http(let statuses):
                    caught(Catcher.request(connection))
                    let status = statuses[min(count, statuses.count - 1)]
                    Catcher.say(connection, "HTTP/1.1 \(status) X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                case .json(let body):
                    caught(Catcher.request(connection))
                    Catcher.say(
                        connection,
                        "HTTP/1.1 200 X\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
                case .smtp(let refusal): Catcher.mail(connection, refusal: refusal, caught)
                }
                count += 1
                close(connection)
            }
        }
    }

    deinit {
        shutdown(socket, Int32(SHUT_RDWR))
        close(socket)
    }

    private static func say(_ connection: Int32, _ text: String) {
        let bytes = Array(text.utf8)
        _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private static func more(_ connection: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(connection, &buffer, buffer.count, 0)
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }

    private static func request(_ connection: Int32) -> String {
        var text = ""
        while let piece = more(connection) {
            text += piece
            guard let end = text.range(of: "\r\n\r\n") else { continue }
            let length =
                text.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
                .flatMap { Int($0.dropFirst(15).filter(\.isNumber)) } ?? 0
            if text[end.upperBound...].utf8.count >= length { break }
        }
        return text
    }

    private static func mail(_ connection: Int32, refusal: String?, _ caught: (String) -> Void) {
        say(connection, "220 catcher\r\n")
        var data: String?
        while let piece = more(connection) {
            if let known = data {
                let text = known + piece
                data = text
                guard text.hasSuffix("\r\n.\r\n") else { continue }
                caught(text)
                data = nil
                say(connection, "250 taken\r\n")
            } else if piece.hasPrefix("DATA") {
                data = ""
                say(connection, "354 go on\r\n")
            } else if piece.hasPrefix("RCPT"), let refusal {
                say(connection, "\(refusal)\r\n")
            } else if piece.hasPrefix("QUIT") {
                return say(connection, "221 bye\r\n")
            } else {
                say(connection, "250 fine\r\n")
            }
        }
    }
}
