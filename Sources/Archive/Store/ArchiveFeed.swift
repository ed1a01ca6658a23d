package import Events

/// Collects lines for the archive on the side of detection. Owned by one task.
///
/// While one block is compressed and written, the next is filled; a third waits for the first, so memory is bounded and a slow disk
/// slows reading down instead of losing lines.
package final class ArchiveFeed {
    /// What a block aims at, in bytes of text: large enough to compress well, small enough to be skipped with gain. Chosen, not measured yet.
    package static let blockBytes = 512 << 10

    private let archive: Archive
    private var block = LineBlock()
    private var citations: [Citation] = []
    private var writing: Task<Void, Never>?
    /// Log sources whose events are security events.
    private var securitySources: Set<UInt16> = []
    private let securityNames: Set<String>

    /// - Parameters:
    ///   - logSources: those with the category `authentication` have security events.
    ///   - securityNames: sources all of whose lines are security events, as they are configured, or files of theirs.
    package init(_ archive: Archive, logSources: LogSourceTable, securityNames: Set<String> = []) {
        self.archive = archive
        self.securityNames = securityNames
        noteSecuritySources(logSources)
    }

    /// From the next line on, lines are read with other formats: a hunt must not take the value filters of one for those of others.
    ///
    /// To be called when everything so far has been flushed.
    package func use(_ logSources: LogSourceTable, fingerprint: UInt64, at now: Timestamp) async {
        noteSecuritySources(logSources)
        await archive.use(fingerprint: fingerprint, at: now)
    }

    private func noteSecuritySources(_ logSources: LogSourceTable) {
        securitySources = Set(
            (0..<UInt16(clamping: logSources.count)).filter { number in
                logSources[LogSourceID(rawValue: number)].categories.contains("authentication")
            })
    }

    /// Adds the lines of a batch; returns once there is room for more.
    ///
    /// - Parameters:
    ///   - source: as it is configured, where that is another name than that of its file: a pattern.
    ///   - format: as the source was configured.
    ///   - received: what dates without a year were resolved against.
    package func add(_ batch: EventBatch, source: String? = nil, format: String, received: Timestamp) async {
        let isSecuritySource = securityNames.contains(batch.origin.source) || securityNames.contains(source ?? "")
        for event in batch.events {
            addLine(event, batch, isSecuritySource, format, received)
            if block.text.count >= ArchiveFeed.blockBytes { await handOver() }
        }
    }

    private func addLine(
        _ event: EventRecord, _ batch: EventBatch, _ isSecuritySource: Bool, _ format: String, _ received: Timestamp
    ) {
        let bytes = batch.bytes.span
        block.add(
            bytes.extracting(event.line.bounds), offset: event.offset, number: event.lineNumber, time: event.time,
            hasOwnTime: event.hasOwnTime,
            isSecurity: isSecuritySource || securitySources.contains(event.logSource.rawValue), origin: batch.origin,
            format: format, received: received)
        for index in event.fields {
            let value = batch.fields[index]
            guard value.field == .sourceIP || value.field == .userName else { continue }
            if let key = ValueKey(value.field, bytes.extracting(value.range.bounds)) { block.add(key) }
        }
    }

    /// Notes what a finding rests on.
    package func cite(_ citation: Citation) { citations.append(citation) }

    /// Hands over what there is, and makes it durable.
    ///
    /// - Returns: the position to save with those of the sources; `nil` when nothing may be cut at the next start.
    package func flush(at now: Timestamp) async -> ArchivePosition? {
        await handOver()
        await writing?.value
        writing = nil
        await archive.cite(citations, at: now)
        citations.removeAll(keepingCapacity: true)
        return await archive.synchronise(at: now)
    }

    /// Says that the position was saved together with those of the sources.
    package func confirm(_ position: ArchivePosition) async { await archive.confirm(position) }

    private func handOver() async {
        guard !block.isEmpty else { return }
        await writing?.value
        let full = block
        block = LineBlock()
        writing = Task { [archive] in await archive.write(full) }
    }
}
