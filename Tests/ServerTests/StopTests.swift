import Glibc
import Testing

@testable import Server

@Suite("A server that is told to stop")
struct StopTests {
    /// Trapped in swift-nio ("Deinited NIOAsyncWriter without calling finish()") while cancellation reached the HTTP server.
    @Test("connections that come in just then do not bring the process down", .timeLimit(.minutes(20)))
    func connectionsAtTheEnd() async throws {
        for _ in 0..<8 {
            let open = Shared<[Int32]>([])
            defer { for descriptor in open.value { close(descriptor) } }
            try await withServer(try World()) { running in
                open.value = (0..<100).map { _ in connecting(to: running.port) }
            }
            #expect(open.value.allSatisfy { $0 >= 0 })
        }
    }

    /// A connection under way to a port of the loopback: nobody waits until it stands.
    private func connecting(to port: Int) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return descriptor
    }
}
