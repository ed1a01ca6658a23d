import OpenPGPWorkerProcess

@main
struct TatouOpenPGP {
    static func main() { OpenPGPMain.run() }
}
