import DocumentWorkerProcess

@main
struct TatouWorker {
    static func main() { WorkerMain.run() }
}
