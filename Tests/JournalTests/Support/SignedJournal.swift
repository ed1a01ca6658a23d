import Journal

/// A journal with its tree, in a folder of its own.
struct SignedJournal {
    let folder: TemporaryFolder
    let signer: NoteSigner

    init(seed: UInt64 = 9) throws {
        folder = try TemporaryFolder()
        signer = try NoteSigner(kind: .ed25519, random: Sample.random(seed)) { _ in "log.example/a" }
    }

    var path: String { folder.path + "/journal" }
    func file(_ name: String) -> String { "\(path)/\(name)" }

    func open(segmentLimit: Int = 64 << 20) throws -> (journal: Journal, tree: JournalTree) {
        let journal = try Journal.open(
            directory: path, keys: InMemorySubjectKeys(random: Sample.random(1)), random: Sample.random(2),
            segmentLimit: segmentLimit)
        return (journal, try JournalTree.open(journal: journal, signer: signer))
    }

    /// Appends so many entries, in appends of at most 100, and publishes after each.
    func fill(_ count: Int, from first: Int = 0, segmentLimit: Int = 64 << 20) async throws {
        let (journal, tree) = try open(segmentLimit: segmentLimit)
        var next = first
        while next < first + count {
            let end = min(next + 100, first + count)
            _ = try await journal.append((next..<end).map { Sample.draft($0) }, at: Sample.start)
            try await tree.publish()
            next = end
        }
        await journal.close()
    }

    func verify(against checkpoints: [(file: String, bytes: [UInt8])] = []) throws -> JournalVerifier.Report {
        try JournalVerifier.verify(directory: path, trust: .init(key: signer.key, checkpoints: checkpoints))
    }

    func problems(against checkpoints: [(file: String, bytes: [UInt8])] = []) throws -> [TreeDamage] {
        try verify(against: checkpoints).tree?.problems ?? []
    }
}
