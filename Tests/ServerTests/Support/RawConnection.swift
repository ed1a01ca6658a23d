import Foundation
import Glibc

/// A TCP connection whose bytes a test chooses itself. Blocks; used by one task.
final class RawConnection {
    struct Failure: Error {}

    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let outcome = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard outcome == 0 else { throw Failure() }
    }

    deinit { close(descriptor) }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        guard Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { throw Failure() }
    }

    /// Waits until the server has closed it, in good order or not, whatever comes until then.
    func end() async {
        while let text = try? await receive(), !text.isEmpty {}
    }

    /// Waits for the next bytes, on a thread of its own: the server needs those of the pool to answer. Empty at the end.
    func receive() async throws -> String {
        let descriptor = descriptor
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                var bytes = [UInt8](repeating: 0, count: 65_536)
                let count = recv(descriptor, &bytes, bytes.count, 0)
                continuation.resume(
                    with: count < 0 ? .failure(Failure()) : .success(String(decoding: bytes[..<count], as: UTF8.self)))
            }
        }
    }
}
