import TatouCommands

@main
struct TatouMain {
    static func main() async { await TatouCommand.start() }
}
