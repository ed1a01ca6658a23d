import ArgumentParser
import Foundation

/// An error as a person should see it, and the exit code it stands for.
struct CommandFailure: Error, CustomStringConvertible {
    enum Code: Int32 {
        /// The thing checked failed.
        case failed = 1
        /// Usage or configuration.
        case usage = 2
        case unreachable = 3
        /// For mail servers alone, which know these two (sysexits.h).
        case dataError = 65
        case temporary = 75
    }

    var code: Code
    /// What happened, to what, and what to do about it.
    var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    var description: String { message }
}

/// Where commands write. Standard output carries results only; everything said to a person goes to standard error.
enum Output {
    static func line(_ text: String) {
        write(text + "\n", to: .standardOutput)
    }

    static func note(_ text: String) {
        write(text + "\n", to: .standardError)
    }

    static func write(_ text: String, to handle: FileHandle) {
        // A reader that went away (`| head`) is no error of ours; SIGPIPE is left at its default and ends the command.
        try? handle.write(contentsOf: Data(text.utf8))
    }
}
