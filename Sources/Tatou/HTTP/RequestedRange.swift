/// The `Range` header (RFC 9110 section 14), for one range. Several, or another unit, are answered with everything, as the RFC allows.
enum RequestedRange: Equatable {
    case everything
    case part(ClosedRange<Int>)
    /// 416.
    case unsatisfiable

    init(_ header: String?, size: Int) {
        guard let header, header.hasPrefix("bytes="), !header.contains(",") else {
            self = .everything
            return
        }
        let parts = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            self = .everything
            return
        }
        switch (Int(parts[0]), Int(parts[1])) {
        case (nil, let length?) where parts[0].isEmpty:
            self = length == 0 || size == 0 ? .unsatisfiable : .part(max(size - length, 0)...(size - 1))
        case (let first?, nil) where parts[1].isEmpty:
            self = first < size ? .part(first...(size - 1)) : .unsatisfiable
        case (let first?, let last?):
            guard first <= last else {
                self = .everything
                return
            }
            self = first < size ? .part(first...min(last, size - 1)) : .unsatisfiable
        default:
            // Numbers beyond every file.
            self = parts[0].isEmpty || parts[0].utf8.count < 19 ? .everything : .unsatisfiable
        }
    }
}
