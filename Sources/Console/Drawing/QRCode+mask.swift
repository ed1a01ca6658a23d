extension QRCode {
    /// Turns the modules of the data over where the mask says so (7.8.2).
    mutating func apply(mask: Int) {
        transformData { x, y, isDark in isDark != Self.isMasked(mask, x, y) }
    }

    private static func isMasked(_ mask: Int, _ x: Int, _ y: Int) -> Bool {
        switch mask {
        case 0: (x + y) % 2 == 0
        case 1: y % 2 == 0
        case 2: x % 3 == 0
        case 3: (x + y) % 3 == 0
        case 4: (x / 3 + y / 2) % 2 == 0
        case 5: x * y % 2 + x * y % 3 == 0
        case 6: (x * y % 2 + x * y % 3) % 2 == 0
        default: ((x + y) % 2 + x * y % 3) % 2 == 0
        }
    }

    /// How hard it is to read: runs, blocks, what looks like a finder pattern, and more of one colour than of the other (7.8.3.1).
    var penalty: Int {
        var penalty = 0
        for line in 0..<size {
            penalty += Self.linePenalty((0..<size).map { self[$0, line] })
            penalty += Self.linePenalty((0..<size).map { self[line, $0] })
        }
        for y in 0..<size - 1 {
            for x in 0..<size - 1 {
                let isDark = self[x, y]
                if isDark == self[x + 1, y], isDark == self[x, y + 1], isDark == self[x + 1, y + 1] { penalty += 3 }
            }
        }
        let dark = modules.count { $0 }
        // Each whole 5 % away from one half.
        return penalty + abs(dark * 20 - modules.count * 10) / modules.count * 10
    }

    private static func linePenalty(_ line: [Bool]) -> Int {
        var penalty = 0
        var run = 0
        for index in line.indices {
            run = index > 0 && line[index] == line[index - 1] ? run + 1 : 1
            if run == 5 { penalty += 3 } else if run > 5 { penalty += 1 }
        }
        let finder = [true, false, true, true, true, false, true]
        let light = [false, false, false, false]
        for pattern in [finder + light, light + finder] where line.count >= pattern.count {
            for start in 0...line.count - pattern.count where line[start..<start + pattern.count].elementsEqual(pattern) {
                penalty += 40
            }
        }
        return penalty
    }
}

/// As a drawing. Its colours are fixed: readers want dark on light in dark pages, too.
extension QRCode {
    /// Modules on a side of the drawing: with the quiet zone of four around it (9.1).
    var drawingSide: Int { size + 8 }

    /// The dark modules as an SVG path.
    var drawing: String {
        var path = ""
        for y in 0..<size {
            var x = 0
            while x < size {
                guard self[x, y] else {
                    x += 1
                    continue
                }
                let start = x
                while x < size, self[x, y] { x += 1 }
                path += "M\(start + 4) \(y + 4)h\(x - start)v1h-\(x - start)z"
            }
        }
        return path
    }
}
