import Glibc

/// A stream socket on which everything has a deadline.
final class ClamdConnection {
    /// The other side takes no more.
    struct Closed: Error, CustomStringConvertible {
        var description: String
    }

    static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

    private let descriptor: Int32
    private let deadline: ContinuousClock.Instant

    init(_ address: ClamdScanner.Address, until deadline: ContinuousClock.Instant) throws {
        self.deadline = deadline
        switch address {
        case .unix(let path): descriptor = try Self.open(path, deadline)
        case .network(let host, let port): descriptor = try Self.open(host, port, deadline)
        }
    }

    deinit { close(descriptor) }

    private static let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)

    private static func open(_ path: String, _ deadline: ContinuousClock.Instant) throws -> Int32 {
        var place = sockaddr_un()
        place.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return try withUnsafeBytes(of: &place) { bytes in
            try open(AF_UNIX, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(bytes.count), deadline)
        }
    }

    private static func open(_ host: String, _ port: String, _ deadline: ContinuousClock.Instant) throws -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, port, &hints, &list)
        guard code == 0 else {
            throw ScanFailure(description: "clamd's host is not known: \(String(cString: gai_strerror(code)))")
        }
        defer { freeaddrinfo(list) }
        var failure: any Error = ScanFailure(description: "clamd's host has no address")
        var entry = list
        while let place = entry?.pointee {
            do {
                return try open(place.ai_family, place.ai_addr, place.ai_addrlen, deadline)
            } catch {
                failure = error
            }
            entry = place.ai_next
        }
        throw failure
    }

    private static func open(
        _ family: Int32, _ place: UnsafePointer<sockaddr>?, _ length: socklen_t, _ deadline: ContinuousClock.Instant
    ) throws -> Int32 {
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw ScanFailure(description: "no socket: \(Self.reason(errno))") }
        var code: Int32 = connect(descriptor, place, length) == 0 ? 0 : errno
        do {
            if code == EINPROGRESS {
                try wait(descriptor, POLLOUT, until: deadline)
                var size = socklen_t(MemoryLayout<Int32>.size)
                getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
            }
            guard code == 0 else {
                throw ScanFailure(description: "clamd cannot be reached: \(Self.reason(code))")
            }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func wait(_ descriptor: Int32, _ event: Int32, until deadline: ContinuousClock.Instant) throws {
        while true {
            let left = (deadline - .now).components
            guard left.seconds >= 0, left.attoseconds >= 0, left.seconds > 0 || left.attoseconds > 0 else {
                throw ScanFailure(description: "clamd did not answer in time")
            }
            var events = pollfd(fd: descriptor, events: Int16(event), revents: 0)
            let milliseconds = Int32(clamping: left.seconds * 1_000 + left.attoseconds / 1_000_000_000_000_000 + 1)
            if poll(&events, 1, milliseconds) > 0 { return }
        }
    }

    func send(_ bytes: [UInt8]) throws {
        var position = 0
        while position < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress?.advanced(by: position), $0.count - position, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                position += count
            } else if errno == EAGAIN {
                try Self.wait(descriptor, POLLOUT, until: deadline)
            } else if errno != EINTR {
                throw Closed(description: "clamd hung up: \(Self.reason(errno))")
            }
        }
    }

    /// Up to the end of a reply, or of the conversation.
    func reply(most: Int) throws -> [UInt8] {
        var reply: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 512)
        while reply.count < most, !reply.contains(0) {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 {
                reply += buffer[..<count]
            } else if count == 0 || errno == ECONNRESET {
                break
            } else if errno == EAGAIN {
                try Self.wait(descriptor, POLLIN, until: deadline)
            } else if errno != EINTR {
                throw ScanFailure(description: "clamd's answer could not be read: \(Self.reason(errno))")
            }
        }
        return reply
    }
}
