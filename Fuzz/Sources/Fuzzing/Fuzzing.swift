import CLibFuzzer
import Foundation

/// Written once, before libFuzzer's loop begins, and read only by it, on the same thread.
nonisolated(unsafe) private var trial: ([UInt8]) -> Void = { _ in }

/// Hands the process over to libFuzzer, which calls `examine` with one input after the other; never returns.
///
/// `examine` says that a law is broken by trapping. The command line's arguments are libFuzzer's: folders of inputs,
/// `-max_total_time=…`.
public func fuzz(_ examine: @escaping ([UInt8]) -> Void) -> Never {
    trial = examine
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    exit(
        LLVMFuzzerRunDriver(&count, &arguments) { start, count in
            trial([UInt8](UnsafeBufferPointer(start: start, count: count)))
            return 0
        })
}

/// How many lines a YAML text has at most: CR, NEL, LS and PS end one, too (YAML 1.1, section 5.4).
public func yamlLineCount(_ text: String) -> Int {
    text.unicodeScalars.count { "\n\r\u{85}\u{2028}\u{2029}".unicodeScalars.contains($0) } + 1
}
