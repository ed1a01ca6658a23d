import ArgumentParser
import Foundation
import Watermark

/// Ways to give a key. On the command line other users can see it: prefer a file or standard input.
struct KeyOptions: ParsableArguments {
    @Option(help: "The key itself. Other users of the machine can see it; prefer --key-file.")
    var key: String?

    @Option(help: "A file whose first line is the key.")
    var keyFile: String?

    @Flag(help: "Read the key from standard input.")
    var keyStdin = false

    @Flag(help: "Ask for the key on the terminal.")
    var keyPrompt = false

    func read() throws -> String {
        let given = [key != nil, keyFile != nil, keyStdin, keyPrompt].count { $0 }
        guard given == 1 else {
            throw WatermarkError(.badInput, "Give the key in one way: --key-file, --key-stdin, --key-prompt or --key.")
        }
        let text: String
        if let key {
            text = key
        } else if let keyFile {
            text = TextInput.firstLine(String(decoding: try Files.read(keyFile), as: UTF8.self))
        } else if keyStdin {
            text = readLine(strippingNewline: true) ?? ""
        } else {
            text = String(cString: getpass("Key: "))
        }
        guard !text.isEmpty else { throw WatermarkError(.invalidKey, "The key is empty.") }
        return text
    }
}

/// Ways to give the secret that a copy carries.
struct SecretOptions: ParsableArguments {
    @Option(help: "What the copy carries: best an identifier of the recipient's copy.")
    var secret: String?

    @Option(help: "A file whose first line is the secret.")
    var secretFile: String?

    @Flag(help: "Read the secret from standard input.")
    var secretStdin = false

    func read() throws -> String {
        let given = [secret != nil, secretFile != nil, secretStdin].count { $0 }
        guard given == 1 else {
            throw WatermarkError(.badInput, "Give the secret in one way: --secret, --secret-file or --secret-stdin.")
        }
        if let secret { return secret }
        if let secretFile { return TextInput.firstLine(String(decoding: try Files.read(secretFile), as: UTF8.self)) }
        return readLine(strippingNewline: true) ?? ""
    }
}

enum TextInput {
    static func firstLine(_ text: String) -> String {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).first.map(String.init) ?? ""
    }

    static func lines(_ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}
