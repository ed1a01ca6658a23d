extension UnitSet {
    static let newline = UnitSet(0x0A)
    static let digits = UnitSet(ascii: "", ranges: [0x30...0x39])
    /// `\w`: letters, digits and the low line, ASCII only.
    static let word = UnitSet(ascii: "_", ranges: [0x30...0x39, 0x41...0x5A, 0x61...0x7A])
    /// `\s`: tab, line feed, vertical tab, form feed, carriage return, space.
    static let space = UnitSet(ascii: " ", ranges: [0x09...0x0D])

    /// A POSIX class by its name between `[:` and `:]`; all are ASCII.
    init?(posix name: String) {
        switch name {
        case "alnum": self.init(ascii: "", ranges: [0x30...0x39, 0x41...0x5A, 0x61...0x7A])
        case "alpha": self.init(ascii: "", ranges: [0x41...0x5A, 0x61...0x7A])
        case "ascii": self.init(ascii: "", ranges: [0x00...0x7F])
        case "blank": self.init(ascii: " \t", ranges: [])
        case "cntrl": self.init(ascii: "", ranges: [0x00...0x1F, 0x7F...0x7F])
        case "digit": self = .digits
        case "graph": self.init(ascii: "", ranges: [0x21...0x7E])
        case "lower": self.init(ascii: "", ranges: [0x61...0x7A])
        case "print": self.init(ascii: "", ranges: [0x20...0x7E])
        case "punct": self.init(ascii: "", ranges: [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E])
        case "space": self = .space
        case "upper": self.init(ascii: "", ranges: [0x41...0x5A])
        case "word": self = .word
        case "xdigit": self.init(ascii: "", ranges: [0x30...0x39, 0x41...0x46, 0x61...0x66])
        default: return nil
        }
    }
}
