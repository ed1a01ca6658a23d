import Foundation

/// A message as it crosses the socket: its length as four bytes, most significant first, then JSON.
package enum Frame {
    package static let headerBytes = 4

    package static func encode(_ message: some Encodable) throws -> [UInt8] {
        let body = try JSONEncoder().encode(message)
        return withUnsafeBytes(of: UInt32(body.count).bigEndian) { Array($0) } + body
    }

    /// The length that a header of four bytes announces; nil where a message may not be as long, or is empty.
    package static func length(_ header: some Collection<UInt8>, most: Int) -> Int? {
        guard header.count == headerBytes else { return nil }
        let length = header.reduce(0) { $0 << 8 | Int($1) }
        return length > 0 && length <= most ? length : nil
    }

    package static func decode<Message: Decodable>(_ type: Message.Type, _ body: some Sequence<UInt8>) throws -> Message {
        try JSONDecoder().decode(type, from: Data(body))
    }
}
