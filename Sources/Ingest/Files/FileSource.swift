package import Events

/// The log files behind one path or pattern, as one source.
///
/// Any number of files costs at most `maximumOpen` descriptors: files take turns, and one that is not open is looked at now and
/// then. Owned by one task; it is asked and never waits, as `FileTail`.
package final class FileSource {
    /// How many files of a pattern are open at a time.
    static let maximumOpen = 64
    /// How many files a pattern stands for at most; the others are named by a warning.
    static let maximumFiles = 200_000
    /// The rotated files beside each file are read at the first start where there are no more files than this: for each of them the
    /// folder is listed.
    static let maximumWithBacklog = 1_000
    /// How many closed files are looked at in one turn, while there is something else to do and while there is not.
    static let glances = (busy: 256, idle: 4_096)
    /// While all open files have something to read, another one is opened every so many turns.
    static let turnsBeforeChange = 16
    /// While none of the open files has anything to read and others do, so many of those are read before the open ones are asked again:
    /// asking all of them each time would cost more than the reading. No more than take the places of the idle ones.
    static let changesBeforeTurn = 48
    /// A pattern is matched anew after as many seconds, and one more for every so many files.
    static let scanSeconds: Int64 = 1
    static let filesPerScanSecond = 10_000

    /// As it was configured.
    package let path: String
    package let isPattern: Bool

    private let readsBacklog: Bool
    private var template: BatchParser
    private var open: [FileTail] = []
    /// By path.
    private var parked: [String: ParkedFile] = [:]
    /// Their paths, in the order in which they are looked at.
    private var rounds: [String] = []
    private var nextGlance = 0
    /// Closed files that have something to read, first come, first served.
    private var changed: [String] = []
    /// Where the queue begins in `changed`.
    private var firstChanged = 0
    private var queued: Set<String> = []
    /// Files that were there at the first start, and not too many: their rotated files are read, too.
    private var withBacklog: Set<String> = []
    /// Further names of files that are read under their first one, or were before they were renamed.
    private var aliases: [String: FileIdentity] = [:]
    /// Files that were let go since the last look at the pattern, as far as they were read: under a further name, reading goes on there.
    private var left: [FileIdentity: FilePosition] = [:]
    /// Paths of files that were let go.
    private var past = PastGenerations()
    private var numbered = NumberedFiles()
    /// Files that cannot be read, and why.
    private var refused: [String: SourceError] = [:]
    private var lastScan: Timestamp?
    private var scanSeconds: Int64 = 0
    private var nextTurn = 0
    private var turns = 0
    /// How many changed files may still be opened before the open ones are asked again, which had nothing.
    private var changesLeft = 0
    /// How often a file was asked for something to read or looked at, in all: what following very many files costs.
    package private(set) var looks = 0
    private var surplus = 0

    /// Counts of tails that have been closed.
    private var closedCounters: SourceCounters
    private var lastTime: Timestamp?
    private var closedSamples: [String] = []
    private var closedPlainSamples: [String] = []
    private var closedLosses: [String] = []
    private var lastFormat: String?

    /// - Parameters:
    ///   - positions: what `positions` returned when it was last snapshotted; `nil` for a source never seen before.
    ///   - parser: with the counters as they were.
    ///   - readsBacklog: at its first start, begin with what rotation has left beside each file.
    package init(
        path: String, parser: BatchParser, resumingAt positions: [FilePosition]?, readsBacklog: Bool = false, now: Timestamp
    ) {
        self.path = path
        isPattern = PathPattern.isPattern(path)
        self.readsBacklog = readsBacklog && positions == nil
        closedCounters = SourceCounters()
        lastTime = parser.lastTime
        template = parser
        guard isPattern else {
            open = [
                FileTail(
                    path: path, parser: parser, resumingAt: positions ?? [], readsBacklog: self.readsBacklog, now: now)
            ]
            return
        }
        closedCounters = parser.counters
        template = parser.renewed(lastTime: nil)
        let isPast = { (position: FilePosition) in position.isPast == true }
        for position in positions ?? [] where !isPast(position) {
            if position.isAlias == true {
                aliases[position.path] = position.identity
            } else {
                parked[position.path, default: ParkedFile(positions: [], lastTime: lastTime)].positions.append(position)
            }
        }
        for position in positions ?? [] where isPast(position) && position.isPlausible {
            if parked[position.path]?.positions.insert(position, at: 0) == nil { past.note(position.path, position.generation) }
        }
        rounds = parked.keys.sorted()
    }

    /// Reads the next chunk of one of the files, if there is one, into `batch`.
    package func poll(into batch: inout EventBatch, now: Timestamp) -> Bool {
        guard isPattern else { return open[0].poll(into: &batch, now: now) }
        scanIfDue(now)
        turns &+= 1
        // While all open files are busy, another one takes the place of one of them now and then.
        let takesTurn = open.count == FileSource.maximumOpen && turns.isMultiple(of: FileSource.turnsBeforeChange)
        if open.count < FileSource.maximumOpen || takesTurn, openChanged(into: &batch, now: now) { return true }
        if openChanges(into: &batch, now: now) { return true }
        for _ in open.indices {
            nextTurn = (nextTurn + 1) % open.count
            looks += 1
            if open[nextTurn].poll(into: &batch, now: now) {
                glance(FileSource.glances.busy)
                return true
            }
        }
        // None of the open files has anything to read now.
        closeFinished()
        if closeGone(into: &batch, now: now) { return true }
        glance(hasChanged ? FileSource.glances.busy : FileSource.glances.idle)
        while hasChanged {
            changesLeft = FileSource.changesBeforeTurn
            if openChanges(into: &batch, now: now) { return true }
        }
        return false
    }

    /// Reads changed files one after the other while the open ones are known to have nothing; true where one had.
    private func openChanges(into batch: inout EventBatch, now: Timestamp) -> Bool {
        while changesLeft > 0, hasChanged {
            changesLeft -= 1
            if openChanged(into: &batch, now: now) { return true }
            closeFinished()
        }
        return false
    }

    private var hasChanged: Bool { firstChanged < changed.count }

    /// Opens the next file that has something to read, and reads it; false when there is none.
    private func openChanged(into batch: inout EventBatch, now: Timestamp) -> Bool {
        guard hasChanged else { return false }
        let path = changed[firstChanged]
        firstChanged += 1
        if firstChanged == changed.count {
            changed.removeAll(keepingCapacity: true)
            firstChanged = 0
        }
        queued.remove(path)
        guard let file = parked.removeValue(forKey: path) else { return false }
        if open.count == FileSource.maximumOpen {
            // Rather not one that waits for the end of a renamed file.
            park(open.remove(at: open.firstIndex { $0.retiring.isEmpty && $0.waiting.isEmpty } ?? 0))
        }
        let tail = FileTail(
            path: path, parser: template.renewed(lastTime: file.lastTime), resumingAt: file.positions,
            readsBacklog: withBacklog.remove(path) != nil, now: now)
        open.append(tail)
        looks += 1
        return tail.poll(into: &batch, now: now)
    }

    /// Where to resume.
    package var positions: [FilePosition] {
        guard isPattern else { return open[0].positions }
        var positions = open.flatMap(\.positions)
        for path in rounds { positions += parked[path]?.positions ?? [] }
        return positions + aliasPositions + past.positions
    }

    private var aliasPositions: [FilePosition] {
        guard !aliases.isEmpty else { return [] }
        var known = identities()
        return aliases.sorted { $0.key < $1.key }.map { path, identity in
            if known.insert(identity).inserted, let position = leftPosition(of: identity) {
                return position.moved(to: path, generation: past[path].map { $0 + 1 } ?? 0)
            }
            return FilePosition(
                path: path, device: identity.device, inode: identity.inode, generation: 0, offset: 0, line: 1, isSkipping: false,
                head: FileHead(), isAlias: true)
        }
    }

    /// From the next line on, fields are those of another rule set.
    package func use(_ formats: FormatSet) {
        template.use(formats)
        for tail in open { tail.use(formats) }
    }

    /// The line at that place, read again; `nil` when the file is no longer open.
    package func line(_ origin: BatchOrigin, offset: Int64) -> String? {
        open.first { $0.path == origin.source }?.line(generation: origin.generation, offset: offset)
    }

    package var counters: SourceCounters {
        var sum = closedCounters
        for tail in open { sum.add(tail.parser.counters) }
        if !isPattern { sum.fromOnePrivateAddress = open[0].parser.counters.fromOnePrivateAddress }
        return sum
    }

    /// Bytes written but not read: of compressed files those on the disk. Looks at every file.
    package func measureLag() -> Int {
        var lag = open.reduce(0) { $0 + $1.lagBytes }
        for (path, file) in parked {
            guard let state = FileState(path) else { continue }
            let isSame = file.positions.last?.identity == state.identity
            lag += Int(max(0, state.size - (isSame ? file.positions.last?.offset ?? 0 : 0)))
        }
        return lag
    }

    /// How its lines are read.
    package var parser: BatchParser { isPattern ? template : open[0].parser }

    /// Event time of the newest event.
    package var lastEvent: Timestamp? { open.reduce(lastTime) { later($0, $1.parser.lastTime) } }

    package var status: SourceStatus {
        isPattern ? patternStatus : open[0].status
    }

    private var patternStatus: SourceStatus {
        let statuses = open.map(\.status)
        let files = open.count + parked.count
        var status = SourceStatus(
            name: path, format: open.last?.parser.recognised?.rawValue ?? lastFormat ?? template.format.rawValue,
            state: files > 0 ? "following" : refused.isEmpty ? "waiting" : "unreadable", counters: counters,
            lagBytes: statuses.reduce(0) { $0 + $1.lagBytes }, lastEvent: lastEvent,
            unparsedSamples: (closedSamples + statuses.flatMap(\.unparsedSamples)).suffix(BatchParser.maximumSamples))
        status.plainSamples = (closedPlainSamples + statuses.flatMap(\.plainSamples)).suffix(BatchParser.maximumSamples)
        status.files = files
        status.warnings = (closedLosses + statuses.flatMap(\.warnings)).suffix(BatchParser.maximumSamples)
        if files == 0, refused.isEmpty { status.problem = "no file matches \(path); check it; Vigie keeps looking while it runs" }
        if let first = refused.min(by: { $0.key < $1.key }) {
            status.problem =
                refused.count == 1 ? "\(first.value)" : "\(refused.count) files cannot be read, the first: \(first.value)"
        }
        if surplus > 0 {
            status.warnings.append(
                "\(surplus) files are not read: a pattern stands for \(FileSource.maximumFiles) at most; use several patterns")
        }
        return status
    }

    // MARK: Files that come and go

    private func scanIfDue(_ now: Timestamp) {
        // A clock that was set back says nothing.
        if let lastScan, now >= lastScan, now < lastScan.advanced(bySeconds: scanSeconds) { return }
        let isFirst = lastScan == nil
        let matches = PathPattern.matches(path)
        lastScan = now
        scanSeconds = FileSource.scanSeconds + Int64(matches.count / FileSource.filesPerScanSecond)
        refused.removeAll()
        let followed = Set(open.map(\.path))
        let names = Set(matches)
        numbered.keep(names)
        var identities: Set<FileIdentity>?
        if !aliases.isEmpty {
            let known = self.identities()
            // A file that nobody reads under its first name any more is read on under this one.
            aliases = aliases.filter { names.contains($0.key) && known.contains($0.value) }
            identities = known
        }
        surplus = 0
        for path in matches where parked[path] == nil && !followed.contains(path) {
            if isLeftOut(path, among: names) { continue }
            guard let state = FileState(path) else { continue }
            // One that was a log before is one again.
            if past[path] == nil, RotatedFiles.isRotated(path, amongLogs: names, orNumbered: true),
                !numbered.hasGrown(path, state)
            {
                continue
            }
            if aliases[path] == state.identity || isLink(path, into: names) { continue }
            // A file that is read already and has another name by now, or a second one.
            let known = identities ?? self.identities()
            identities = known
            if known.contains(state.identity) {
                aliases[path] = state.identity
                continue
            }
            guard open.count + parked.count < FileSource.maximumFiles else {
                surplus += 1
                continue
            }
            identities?.insert(state.identity)
            parked[path] = ParkedFile(positions: beginning(of: path, state.identity), lastTime: lastTime)
            rounds.append(path)
            enqueue(path)
        }
        left.removeAll()
        if isFirst {
            for path in rounds where parked[path] != nil { enqueue(path) }
            if readsBacklog, rounds.count <= FileSource.maximumWithBacklog { withBacklog = Set(rounds) }
        }
        if rounds.count > 2 * (open.count + parked.count) + 64 { rounds = parked.keys.sorted() + open.map(\.path) }
    }

    /// Of a file that was not read under that name before: where it was left under another one, and numbered after those that stood
    /// there, if any did.
    private func beginning(of path: String, _ identity: FileIdentity) -> [FilePosition] {
        let last = past.take(path)
        // The inode may be another file's by now.
        if let position = leftPosition(of: identity), let file = try? LogFile(path: path), position.goesOn(in: file) {
            return [position.moved(to: path, generation: last.map { $0 + 1 } ?? 0)]
        }
        return last.map { [FilePosition(past: path, generation: $0)] } ?? []
    }

    private func leftPosition(of identity: FileIdentity) -> FilePosition? {
        left[identity] ?? open.lazy.compactMap { $0.finished.last { $0.identity == identity } }.first
    }

    /// Compressed files, and what rotation made of a log that matches, too: these are their log's.
    private func isLeftOut(_ path: String, among names: Set<String>) -> Bool {
        for ending in [".gz", ".xz", ".bz2", ".zst"] where path.hasSuffix(ending) { return true }
        return RotatedFiles.isRotated(path, amongLogs: names)
    }

    /// A symbolic link to a file that matches, too.
    private func isLink(_ path: String, into names: Set<String>) -> Bool {
        guard let target = LogFile.target(ofLink: path) else { return false }
        return names.contains(target)
    }

    private func identities() -> Set<FileIdentity> {
        var found: Set<FileIdentity> = []
        for position in open.flatMap(\.positions) { found.insert(position.identity) }
        for file in parked.values {
            for position in file.positions { found.insert(position.identity) }
        }
        return found
    }

    /// Looks at the next few closed files, whether they have changed.
    private func glance(_ count: Int) {
        for _ in 0..<min(count, rounds.count) {
            if nextGlance >= rounds.count { nextGlance = 0 }
            let path = rounds[nextGlance]
            nextGlance += 1
            looks += 1
            guard let file = parked[path], !queued.contains(path) else { continue }
            if file.state == nil || file.state != FileState(path) { enqueue(path) }
        }
    }

    private func enqueue(_ path: String) {
        if queued.insert(path).inserted { changed.append(path) }
    }

    /// Lets go of files that are not there any more, or cannot be read.
    private func closeFinished() {
        for index in open.indices.reversed() where open[index].hasNothing {
            let tail = open.remove(at: index)
            if let problem = tail.problem, problem.code != .missing { refused[tail.path] = problem }
            letGo(tail)
        }
    }

    /// Lets go of open files that were deleted and that nobody writes to any more; true where one gave its unfinished line.
    private func closeGone(into batch: inout EventBatch, now: Timestamp) -> Bool {
        for index in open.indices.reversed() where open[index].isGone(now) {
            if open[index].finish(into: &batch, now: now) { return true }
            letGo(open.remove(at: index))
        }
        return false
    }

    private func letGo(_ tail: FileTail) {
        takeLeave(tail)
        for position in tail.positions { left[position.identity] = position }
        if let generation = tail.lastGeneration { past.note(tail.path, generation) }
    }

    private func park(_ tail: FileTail) {
        takeLeave(tail)
        // In this order: what is written after this look changes what the next one sees.
        let state = FileState(tail.path)
        parked[tail.path] = ParkedFile(
            positions: tail.positions, lastTime: tail.parser.lastTime, state: tail.isAtEnd ? state : nil)
    }

    private func takeLeave(_ tail: FileTail) {
        for position in tail.finished { left[position.identity] = position }
        var counters = tail.parser.counters
        counters.fromOnePrivateAddress = nil
        closedCounters.add(counters)
        lastTime = later(lastTime, tail.parser.lastTime)
        lastFormat = tail.parser.recognised?.rawValue ?? lastFormat
        closedSamples = (closedSamples + tail.parser.unparsedSamples).suffix(BatchParser.maximumSamples)
        closedPlainSamples = (closedPlainSamples + tail.parser.plainSamples).suffix(BatchParser.maximumSamples)
        closedLosses = (closedLosses + tail.losses).suffix(BatchParser.maximumSamples)
    }
}

private func later(_ one: Timestamp?, _ other: Timestamp?) -> Timestamp? {
    guard let one else { return other }
    guard let other else { return one }
    return max(one, other)
}
