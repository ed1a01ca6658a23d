import Events

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The part of an address that one party holds: an IPv4 address, or the /64 of an IPv6 address (RFC 6177).
enum AddressGroup {
    static func key(for address: String) -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        let bare = address.split(separator: "%", maxSplits: 1).first.map(String.init) ?? address
        guard inet_pton(AF_INET6, bare, &bytes) == 1 else { return String(address.prefix(64)) }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
        if isMapped { return bytes[12...].map { String($0) }.joined(separator: ".") }
        return bytes[..<8].hexadecimal + "/64"
    }
}
