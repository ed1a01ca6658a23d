import Events
import Foundation
import NIOCore
import Response

/// The addresses without which this machine cannot be reached or cannot work: never blocked.
enum OwnAddresses {
    /// - Parameter proxies: in front of the platform; whoever blocks one blocks everybody behind it.
    static func list(proxies: [AddressBlock]) -> [LeasePolicy.Protected] {
        var list: [LeasePolicy.Protected] = []
        func add(_ text: String, _ owner: String) {
            // A scope names an interface of this machine.
            if let block = AddressBlock(text.prefix { $0 != "%" }) { list.append(.init(block, owner: owner)) }
        }
        add("127.0.0.0/8", "this machine itself")
        add("::1", "this machine itself")
        for device in (try? System.enumerateDevices()) ?? [] {
            if let address = device.address?.ipAddress { add(address, "this machine's address on \(device.name)") }
        }
        for gateway in gateways() { add(gateway, "the gateway") }
        for line in lines("/etc/resolv.conf") where line.first == "nameserver" && line.count > 1 {
            add(line[1], "the name server")
        }
        list += proxies.map { .init($0, owner: "a trusted proxy") }
        return list
    }

    private static func gateways() -> [String] {
        // proc(5): /proc/net/route has addresses as hexadecimal numbers in the byte order of the machine.
        let four = lines("/proc/net/route").compactMap { fields -> String? in
            guard fields.count > 2, let number = UInt32(fields[2], radix: 16), number != 0 else { return nil }
            return "\(IPAddress(v4: number.byteSwapped))"
        }
        // The next hop is the fifth field, 32 digits in network order.
        let six = lines("/proc/net/ipv6_route").compactMap { fields -> String? in
            guard fields.count > 4, fields[4].count == 32, let high = UInt64(fields[4].prefix(16), radix: 16),
                let low = UInt64(fields[4].suffix(16), radix: 16), high != 0 || low != 0
            else { return nil }
            return "\(IPAddress(high: high, low: low))"
        }
        return Array(Set(four + six)).sorted()
    }

    private static func lines(_ path: String) -> [[String]] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
    }
}
