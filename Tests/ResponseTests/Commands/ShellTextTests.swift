import Foundation
import Response
import Testing

@Suite struct ShellTextTests {
    private static let hostile = [
        "plain", "two words", "'; touch pwned; '", "$(touch pwned)", "`touch pwned`", "\" ; touch pwned ; \"", "a\nb", "\\", "*",
        "~",
        "-rf", "#", "é ü", "", "'", "''", "\"", "$HOME", "&& false", "\t|", "!!",
    ]

    /// What a real shell gives a program, byte for byte, wherever the value stands.
    @Test(arguments: [
        "printf '%s' __x__:value", "printf '%s' \"__x__:value\"", "printf '%s' '__x__:value'", "printf '%s' \"\"__x__:value''",
        "printf '%s' $(printf '%s.' __x__:value | cat)",
    ])
    func aValueIsOneArgument(command: String) throws {
        for value in Self.hostile {
            let text = try ShellText.substitute(in: command, { _ in value })
            if command.contains("$(") {
                // Word splitting is the author's; the shell must not have run anything.
                #expect(!(try Self.run(text)).contains("pwned created"))
                continue
            }
            #expect(try Self.run(text) == value, "\(text)")
        }
        #expect(!FileManager.default.fileExists(atPath: "pwned"))
    }

    @Test(arguments: [
        "echo `ls __x__:value`", "echo \"$(ls __x__:value)\"", "cat <<END\n__x__:value\nEND", "eval __x__:value",
        "bash -c __x__:value",
        "true # __x__:value", "echo \\__x__:value", "echo ${y:-__x__:value}", "echo $'__x__:value'",
    ])
    func placesThatCannotBeQuotedAreRefused(command: String) {
        #expect(throws: ShellText.Refusal.self) { try ShellText.substitute(in: command, { _ in "a" }) }
    }

    @Test func commandsWithoutVariablesStayAsTheyAre() throws {
        #expect(try ShellText.substitute(in: "eval `ls`", { _ in "a" }) == "eval `ls`")
    }

    private static func run(_ command: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["--noprofile", "--norc", "-c", command]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
