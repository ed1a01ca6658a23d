import CommandLine

@main
struct Vigie {
    static func main() async { await VigieCommand.start() }
}
