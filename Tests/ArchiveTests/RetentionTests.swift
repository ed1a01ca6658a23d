import Events
import Testing

@testable import Archive

@Suite("How long the archive keeps what")
struct RetentionTests {
    /// Ten days of ten lines each, of which line 3 is a security event; a finding on day 5 rests on line 7 of day 4.
    private func tenDays(_ store: TemporaryArchive, policy: RetentionPolicy = Trial.policy) async -> Archive {
        let archive = await store.open(policy: policy)
        for day in 0..<10 {
            let received = Trial.days(Int64(day))
            await archive.write(Trial.block((0..<10).map { "day \(day) line \($0)" }, received: received, security: [3]))
            if day == 5 {
                let offset = Int64(7 * "day 4 line 0 ".utf8.count)
                // Offsets repeat from day to day: only this day's file has this generation.
                await archive.cite(
                    [Citation(origin: BatchOrigin(source: "/var/log/app.log", generation: 0), offset: offset)], at: received)
            }
        }
        if let position = await archive.synchronise(at: Trial.days(9)) { await archive.confirm(position) }
        return archive
    }

    @Test("after 90 days security events are left, after a year nothing; the journal says so")
    func policy() async throws {
        let store = TemporaryArchive()
        let archive = await tenDays(store)
        await archive.maintain(at: Trial.days(89))
        #expect(try store.contents().lines.count == 100)
        await archive.maintain(at: Trial.days(93).advanced(bySeconds: 60))
        // Days 0 to 3 are older than 90 days; the citation speaks of line 7 wherever it stands.
        let left = try store.contents().lines
        #expect(left.filter { $0.hasPrefix("day 2 ") } == ["day 2 line 3", "day 2 line 7"])
        #expect(left.filter { $0.hasPrefix("day 4 ") }.count == 10)
        #expect(
            store.events.count == 4
                && store.events.allSatisfy {
                    if case .reduced(let summary, let kept) = $0 { summary.lines == 10 && kept == 2 } else { false }
                })
        await archive.maintain(at: Trial.days(93).advanced(bySeconds: 120))
        #expect(store.events.count == 4)
        await archive.maintain(at: Trial.days(368))
        #expect(try store.contents().lines.contains { $0.hasPrefix("day 2 ") } == false)
        #expect(try store.contents().lines.contains { $0.hasPrefix("day 5 ") })
        #expect(
            store.events.contains {
                if case .deleted(let summary, .retention) = $0 { summary.number == 1 && summary.isReduced } else { false }
            })
        #expect(try store.contents().damages.isEmpty)
        #expect(try ArchiveReader(folder: store.folder).verify().repeated.isEmpty)
    }

    @Test("what a hold covers stays, until the hold is released and the journal says so")
    func hold() async throws {
        let store = TemporaryArchive()
        let archive = await tenDays(store)
        let holds = HoldFolder(archive: store.folder)
        try holds.save(
            LegalHold(
                name: "case-7", reason: "Letter of 2 March", author: "ada", since: Trial.days(2), until: Trial.days(3),
                placed: Trial.days(10)))
        await archive.maintain(at: Trial.days(400))
        #expect(try store.contents().lines.filter { $0.hasPrefix("day 2 ") }.count == 10)
        #expect(try store.contents().lines.contains { $0.hasPrefix("day 1 ") || $0.hasPrefix("day 3 ") } == false)
        guard case .holdPlaced(let placed) = store.events.first else { throw ArchiveError(.missing, "no entry", "") }
        #expect(placed.name == "case-7" && placed.reason == "Letter of 2 March" && placed.author == "ada")

        var hold = try #require(try holds.holds().first)
        #expect(hold.isJournalled)
        hold.released = .init(reason: "settled", author: "bob", time: Trial.days(401).nanoseconds)
        try holds.save(hold)
        store.refuseJournal(true)
        await archive.maintain(at: Trial.days(401))
        #expect(try store.contents().lines.contains { $0.hasPrefix("day 2 ") })
        store.refuseJournal(false)
        await archive.maintain(at: Trial.days(402))
        #expect(try store.contents().lines.contains { $0.hasPrefix("day 2 ") } == false)
        #expect(try holds.holds().isEmpty)
        #expect(store.events.contains { if case .holdReleased(let hold) = $0 { hold.released?.author == "bob" } else { false } })
    }

    @Test("a hold keeps a segment in which it cannot be read what a block's times are", arguments: [true, false])
    func holdOfDamage(isHeaderDamaged: Bool) async throws {
        let store = TemporaryArchive()
        let archive = await store.open()
        var ends: [Int] = []
        for minute in 0..<3 {
            let received = Trial.start.advanced(bySeconds: Int64(60 * minute))
            await archive.write(Trial.block(["minute \(minute)"], received: received))
            ends.append(try #require(await archive.synchronise(at: received)).length)
        }
        await archive.write(Trial.block(["next hour"], received: Trial.start.advanced(bySeconds: 3_600)))
        await archive.confirm(try #require(await archive.synchronise(at: Trial.start)))
        if isHeaderDamaged {
            var bytes = try store.segmentBytes(1)
            bytes[ends[1] + 20] ^= 1
            try store.setSegmentBytes(bytes, of: 1)
        }
        // The index would know the block's times as they were.
        try ArchiveFolder.remove(ArchiveFolder.indexPath(store.folder, 1))
        try HoldFolder(archive: store.folder).save(
            LegalHold(
                name: "case-7", reason: "r", author: "ada", since: Trial.start.advanced(bySeconds: 90),
                until: Trial.start.advanced(bySeconds: 100), placed: Trial.days(1)))
        await archive.maintain(at: Trial.days(400))
        #expect(try ArchiveReader(folder: store.folder).segments().contains(1))
        try HoldFolder(archive: store.folder).remove(try #require(try HoldFolder(archive: store.folder).holds().first))
        await archive.maintain(at: Trial.days(401))
        #expect(try ArchiveReader(folder: store.folder).segments().contains(1) == false)
    }

    @Test("a hold that cannot be read stops every deletion")
    func unreadableHold() async throws {
        let store = TemporaryArchive()
        let archive = await tenDays(store)
        try ArchiveFolder.make(store.folder + "/holds")
        try ArchiveFolder.replace(store.folder + "/holds/case-8.json", with: Array("{".utf8))
        await archive.maintain(at: Trial.days(400))
        #expect(try store.contents().lines.count == 100)
        #expect(await archive.status.notices.contains { $0.contains("case-8") })
    }

    @Test("a hold that is placed while segments are being removed keeps those that are left")
    func holdMeanwhile() async throws {
        let store = TemporaryArchive()
        let archive = await tenDays(store)
        store.whileTelling { [folder = store.folder] event in
            guard case .deleted(let summary, _) = event, summary.number == 1 else { return }
            let hold = LegalHold(
                name: "case-7", reason: "r", author: "ada", since: Trial.days(2), until: Trial.days(3), placed: Trial.days(400))
            do { try HoldFolder(archive: folder).save(hold) } catch { Issue.record(error) }
        }
        await archive.maintain(at: Trial.days(400))
        let left = try store.contents().lines
        #expect(left.count == 20 && left.filter { $0.hasPrefix("day 2 ") }.count == 10)
    }

    @Test("whoever changes holds and whoever removes what they keep wait for one another")
    func lockedHolds() async throws {
        let store = TemporaryArchive()
        let archive = await tenDays(store)
        let holds = HoldFolder(archive: store.folder)
        let lock = try holds.lock()
        await archive.maintain(at: Trial.days(400))
        #expect(try store.contents().lines.count == 100)
        #expect(await archive.status.notices.contains { $0.contains("holds") })
        lock.release()
        try holds.save(
            LegalHold(
                name: "case-7", reason: "r", author: "ada", since: Trial.days(2), until: Trial.days(3), placed: Trial.days(10)))
        let refusals = Shared(0)
        store.whileTelling { _ in
            do throws(ArchiveError) { try holds.lock().release() } catch { refusals.value += 1 }
        }
        await archive.maintain(at: Trial.days(401))
        #expect(try store.contents().lines.count == 20)
        // The placing of the hold, and eight segments.
        #expect(refusals.value == 9 && store.events.count == 9)
        try holds.lock().release()
    }

    @Test("a segment that is removed to make room is not put back by the reduction that was under way")
    func removedMeanwhile() async throws {
        let store = TemporaryArchive()
        let archive = await tenDays(store)
        var full = Trial.policy
        full.minimumFreeBytes = .max
        full.whenFull = .deleteOldest
        let policy = full
        let writing = Shared<Task<Void, Never>?>(nil)
        store.whileTelling { event in
            guard case .reduced(let summary, _) = event, summary.number == 1 else { return }
            await archive.setPolicy(policy)
            writing.value = Task { await archive.write(Trial.block(["new"], received: Trial.days(93))) }
            // Time enough to remove it, for whoever does not wait.
            for _ in 0..<1_000 { await Task.yield() }
        }
        await archive.maintain(at: Trial.days(93).advanced(bySeconds: 60))
        await writing.value?.value
        store.whileTelling(nil)
        let removed = store.events.compactMap { if case .deleted(let summary, _) = $0 { summary.number } else { nil } }
        #expect(removed.contains(1))
        #expect(Set(try ArchiveReader(folder: store.folder).segments()).isDisjoint(with: removed))
    }

    @Test("a damaged segment is not reduced: it stays as it is until all of it may go")
    func damaged() async throws {
        let store = TemporaryArchive()
        let archive = await tenDays(store)
        var bytes = try store.segmentBytes(3)
        bytes[bytes.count - 5] ^= 1
        try store.setSegmentBytes(bytes, of: 3)
        await archive.maintain(at: Trial.days(95).advanced(bySeconds: 60))
        #expect(try store.segmentBytes(3) == bytes)
        #expect(try store.contents().lines.filter { $0.hasPrefix("day 3 ") }.count == 2)
        #expect(await archive.status.notices.contains { $0.contains("segment 3 is damaged") })
        let told = store.events.count
        await archive.maintain(at: Trial.days(95).advanced(bySeconds: 120))
        #expect(store.events.count == told)
        await archive.maintain(at: Trial.days(368))
        #expect(try ArchiveReader(folder: store.folder).segments().contains(3) == false)
        #expect(
            store.events.contains {
                if case .deleted(let summary, .retention) = $0 { summary.number == 3 && !summary.isReduced } else { false }
            })
    }

    @Test("nothing is deleted that the journal cannot tell of")
    func refusedJournal() async throws {
        let store = TemporaryArchive()
        let archive = await tenDays(store)
        store.refuseJournal(true)
        await archive.maintain(at: Trial.days(400))
        #expect(try store.contents().lines.count == 100)
    }

    @Test("a disk without room: nothing is archived, that is said, counted and journalled, and it goes on when there is room")
    func fullDisk() async throws {
        let store = TemporaryArchive()
        var policy = Trial.policy
        policy.minimumFreeBytes = .max
        let archive = await store.open(policy: policy)
        await archive.write(Trial.block(["a", "b"]))
        var status = await archive.status
        #expect(status.lines == 0 && status.lostLines == 2)
        #expect(status.problem?.contains("when_full") == true)
        // Not tried again at once; not a second statement either.
        await archive.write(Trial.block(["c"], received: Trial.start.advanced(bySeconds: 1)))
        status = await archive.status
        #expect(status.lostLines == 3)
        await archive.setPolicy(Trial.policy)
        await archive.write(Trial.block(["d"], received: Trial.start.advanced(bySeconds: 11)))
        status = await archive.status
        #expect(status.problem == nil && status.lines == 1)
        guard case .gap(let lines, let reason, let since) = store.events.first else {
            throw ArchiveError(.missing, "no entry", "")
        }
        #expect(lines == 3 && since == Trial.start && reason.contains("MiB left"))
        _ = await archive.synchronise(at: Trial.start)
        #expect(try store.contents().lines == ["d"])
    }

    @Test("where policy says so, the oldest segments make room first, but for those that a hold keeps")
    func deleteOldest() async throws {
        let store = TemporaryArchive()
        let archive = await tenDays(store)
        try HoldFolder(archive: store.folder).save(
            LegalHold(
                name: "case-9", reason: "r", author: "a", since: Trial.days(1), until: Trial.days(2), placed: Trial.days(10)))
        var policy = Trial.policy
        policy.minimumFreeBytes = .max
        policy.whenFull = .deleteOldest
        await archive.setPolicy(policy)
        await archive.write(Trial.block(["new"], received: Trial.days(10)))
        let left = try store.contents().lines
        #expect(left.filter { $0.hasPrefix("day 1 ") }.count == 10)
        #expect(left.contains { $0.hasPrefix("day 0 ") || $0.hasPrefix("day 5 ") } == false)
        // The segment at hand has not been confirmed as finished: it stays.
        #expect(left.filter { $0.hasPrefix("day 9 ") }.count == 10)
        #expect(store.events.count { if case .deleted(_, .diskFull) = $0 { true } else { false } } == 8)
        #expect(await archive.status.lostLines == 1)
    }

    @Test("small blocks of a finished segment are put together, and nothing else changes")
    func packing() async throws {
        let store = TemporaryArchive()
        let archive = await store.open()
        for second in 0..<200 {
            let received = Trial.start.advanced(bySeconds: Int64(second))
            await archive.write(Trial.block(["event \(second)"], received: received, address: "192.0.2.\(second)"))
        }
        await archive.write(Trial.block(["next hour"], received: Trial.start.advanced(bySeconds: 3_600)))
        await archive.confirm(try #require(await archive.synchronise(at: Trial.start)))
        let before = try store.contents().lines
        let size = try store.segmentBytes(1).count
        await archive.maintain(at: Trial.start.advanced(bySeconds: 3_700))
        #expect(try store.contents().lines == before)
        #expect(try store.segmentBytes(1).count * 3 < size)
        let reader = ArchiveReader(folder: store.folder)
        let segment = try #require(try reader.open(1, of: [1, 2]))
        #expect(segment.header.isPacked && segment.blocks.count == 1)
        let block = try #require(segment.blocks.first)
        for (address, isThere) in [("192.0.2.77", true), ("198.51.100.1", false)] {
            let query = ArchiveQuery(keys: [[try #require(ValueKey(.sourceIP, address))]])
            #expect(query.wants(block, of: segment.header) == isThere)
        }
    }
}
