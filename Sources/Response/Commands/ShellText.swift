/// Shell commands with values in them. A value is data: it stands in single quotes, whatever it contains, so no shell ever
/// reads it as a command. Where a value cannot be quoted safely the command is refused.
package enum ShellText {
    package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
        package var variable: String
        package var reason: String

        package var description: String { "\(variable) cannot be put in safely: \(reason)" }
    }

    private enum Quoting {
        case none
        case single
        case double
        case comment
    }

    /// The command with every `__name__:value` replaced by its value, quoted for the place it stands in.
    package static func substitute(in command: String, _ value: (String) throws -> String) throws -> String {
        let uses = VariableUse.all(in: command)
        guard let first = uses.first else { return command }
        let bytes = Array(command.utf8)
        var result: [UInt8] = []
        var quoting = Quoting.none
        var index = 0
        var remaining = uses[...]
        while index < bytes.count {
            if let use = remaining.first, use.range.lowerBound == index {
                let text = try value(use.name)
                guard !text.utf8.contains(0) else { throw Refusal(variable: use.name, reason: "its value has a NUL byte") }
                let quoted = Self.quoted(text)
                switch quoting {
                case .none: result += quoted.utf8
                case .single: result += "'\(quoted)'".utf8
                case .double: result += "\"\(quoted)\"".utf8
                case .comment: throw Refusal(variable: use.name, reason: "it stands in a comment, which a line break would leave")
                }
                index = use.range.upperBound
                remaining = remaining.dropFirst()
                continue
            }
            let byte = bytes[index]
            result.append(byte)
            index += 1
            switch (quoting, byte) {
            case (.none, UInt8(ascii: "'")): quoting = .single
            case (.single, UInt8(ascii: "'")): quoting = .none
            case (.none, UInt8(ascii: "\"")): quoting = .double
            case (.double, UInt8(ascii: "\"")): quoting = .none
            case (.none, UInt8(ascii: "#")) where index == 1 || " \t\n;&|(".utf8.contains(bytes[index - 2]): quoting = .comment
            case (.comment, UInt8(ascii: "\n")): quoting = .none
            case (.none, UInt8(ascii: "\\")), (.double, UInt8(ascii: "\\")):
                if let use = remaining.first, use.range.lowerBound == index {
                    throw Refusal(variable: use.name, reason: "a backslash stands before it")
                }
                if index < bytes.count {
                    result.append(bytes[index])
                    index += 1
                }
            case (.none, UInt8(ascii: "`")), (.double, UInt8(ascii: "`")):
                throw Refusal(variable: first.name, reason: "the command has backquotes; use $( ) outside of quotes, or a script")
            case (.double, UInt8(ascii: "$")) where index < bytes.count && "({".utf8.contains(bytes[index]),
                (.none, UInt8(ascii: "$")) where index < bytes.count && "{'\"".utf8.contains(bytes[index]):
                throw Refusal(variable: first.name, reason: "the command has an expansion with quotes of its own")
            case (.none, UInt8(ascii: "<")) where index < bytes.count && bytes[index] == UInt8(ascii: "<"):
                throw Refusal(variable: first.name, reason: "the command has a here-document, which has no quotes")
            default: break
            }
        }
        if let word = ["eval", "source", "xargs", "-c"].first(where: {
            command.split { " \t\n;&|()".contains($0) }.contains(Substring($0))
        }) {
            throw Refusal(
                variable: first.name, reason: "\(word) gives its arguments to a shell again, which would read the value")
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// POSIX quoting: single quotes, and `'\''` for one within.
    package static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
