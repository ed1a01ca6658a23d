import WatermarkCommands

@main
struct TatouWM {
    static func main() async { await WatermarkCommand.start() }
}
