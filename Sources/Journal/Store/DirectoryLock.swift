/// One writer per journal: an `flock` on the file `lock`, which holds the writer's process id for people who look.
///
/// The lock ends with the process, however that ends; the file stays and means nothing by itself.
struct DirectoryLock: ~Copyable, Sendable {
    static let fileName = "lock"
    private let file: JournalFile

    init(directory: String) throws(JournalError) {
        let file = try JournalFile.open("\(directory)/\(Self.fileName)", .writing)
        guard try file.lock() else {
            let text = String(decoding: try file.read(at: 0, count: 16).prefix { $0 != 0x0A }, as: UTF8.self)
            throw .locked(directory: directory, holder: Int32(text))
        }
        try file.truncate(to: 0)
        try file.write(Array("\(FileSystem.processID)\n".utf8), at: 0)
        self.file = file
    }
}
