import Glibc

/// A worker's end of the socket to its server: descriptor 0. Calls block.
package enum WorkerSocket {
    /// All of it, or as much as somebody takes.
    package static func write(_ bytes: [UInt8], to descriptor: Int32 = 0) {
        bytes.withUnsafeBytes { write($0, to: descriptor) }
    }

    package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) {
        var position = 0
        while position < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: position), bytes.count - position)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            position += count
        }
    }

    /// So many bytes; `nil` where the server has gone.
    package static func read(_ length: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: length)
        var position = 0
        while position < length {
            let received = bytes.withUnsafeMutableBytes {
                Glibc.read(0, $0.baseAddress?.advanced(by: position), length - position)
            }
            if received < 0, errno == EINTR { continue }
            guard received > 0 else { return nil }
            position += received
        }
        return bytes
    }
}
