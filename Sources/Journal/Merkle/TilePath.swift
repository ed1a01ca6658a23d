/// Names of the files of a log (C2SP tlog-tiles): `tile/0/x001/067`, `tile/1/000.p/12`, `tile/entries/x001/067`.
package enum TilePath {
    /// - Parameter width: hashes in it; fewer than 256 make it a partial tile.
    package static func hashes(level: Int, index: UInt64, width: Int = TileTree.width) -> String {
        "tile/\(level)/\(name(index, width))"
    }

    /// The bundle of entries whose leaf hashes are the tile of level 0 with that index.
    package static func entries(index: UInt64, width: Int = TileTree.width) -> String {
        "tile/entries/\(name(index, width))"
    }

    /// Digits in groups of three, all but the last behind an `x`, so that no folder holds more than a thousand names of a kind.
    private static func name(_ index: UInt64, _ width: Int) -> String {
        var groups: [String] = []
        var rest = index
        repeat {
            let digits = String(rest % 1000)
            groups.insert(String(repeating: "0", count: 3 - digits.utf8.count) + digits, at: 0)
            rest /= 1000
        } while rest > 0
        let path = groups.enumerated().map { $0 < groups.count - 1 ? "x" + $1 : $1 }.joined(separator: "/")
        return width == TileTree.width ? path : "\(path).p/\(width)"
    }
}

extension TilePath {
    /// Whether a path is one that this type gives.
    static func isName(_ path: String) -> Bool {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3, parts.removeFirst() == "tile" else { return false }
        let kind = parts.removeFirst()
        guard kind == "entries" || (UInt8(kind).map { $0 < 64 && String($0) == kind } ?? false) else { return false }
        var width = TileTree.width
        if parts.count > 1, parts[parts.count - 2].hasSuffix(".p") {
            guard let number = Int(parts.removeLast()), (1..<TileTree.width).contains(number) else { return false }
            width = number
            parts[parts.count - 1].removeLast(2)
        }
        let digits = parts.map { $0.hasPrefix("x") ? String($0.dropFirst()) : $0 }.joined()
        guard let index = UInt64(digits) else { return false }
        let name =
            kind == "entries" ? entries(index: index, width: width) : hashes(level: Int(kind) ?? 0, index: index, width: width)
        return name == path
    }
}
