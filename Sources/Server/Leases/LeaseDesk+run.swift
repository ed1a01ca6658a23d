import Events
import Logging
import Response
import Synchronization

/// What is done by itself: approvals by policy, orders to enforcers, expiry, reading back, and trying again.
extension LeaseDesk {
    static let interval = Duration.milliseconds(200)
    /// Leases that one order to an enforcer holds at most.
    static let batch = 20_000

    /// Runs until cancelled.
    func run() async {
        await resume()
        hasResumed.store(true, ordering: .releasing)
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do {
                    protectOperators()
                    for (name, work) in try await step() { group.addTask { await self.carryOut(work, by: name) } }
                    try await page()
                    await bell.wait(atMost: pause())
                } catch {
                    logger.error("leases cannot be written down: \(error); trying again")
                    await bell.wait(atMost: .seconds(1))
                }
            }
            group.cancelAll()
        }
    }

    private func pause() -> Duration {
        guard let next = schedule.next else { return LeaseDesk.interval }
        return min(LeaseDesk.interval, .nanoseconds(max(next.nanoseconds(since: now()), 1_000_000)))
    }

    /// After a start: enforcers let go of what nobody wants any more, and everything is looked at.
    private func resume() async {
        let time = now()
        for enforcer in enforcers {
            let mine = book.standings.values.filter { $0.lease.enforcer == enforcer.name }
            let wanted = mine.filter { $0.phase.wantsForce && $0.lease.expiresAt > time && $0.undoneBy == nil }
            let ended = mine.filter { standing in
                if case .lifted = standing.phase { standing.lease.expiresAt > time } else { false }
            }
            do {
                try await enforcer.prepare()
                try await enforcer.resume(with: wanted.map(\.lease), ended: ended.map(\.lease))
            } catch {
                logger.error("\(enforcer.name) cannot be prepared: \(error); what it should hold is shown as not in force")
            }
        }
        for standing in book.standings.values where !standing.phase.isOver { reschedule(standing, at: time) }
    }

    // MARK: When

    /// When a lease has to be looked at although nothing happens to it.
    func reschedule(_ standing: LeaseBook.Standing, at time: Timestamp) {
        let id = standing.lease.id
        switch standing.phase {
        case .refused, .lifted(_, isProven: true):
            attempts[id] = nil
            schedule.set(id, nil)
        case .requested:
            schedule.set(id, standing.undoneBy == nil ? min(time.advanced(bySeconds: 30), standing.lease.expiresAt) : time)
        case .inForce(let proof):
            attempts[id] = nil
            // Young leases are read back soon again: by then their target may have been refused something.
            let isYoung = proof == .readBack && time.nanoseconds(since: standing.since) < 60_000_000_000
            schedule.set(
                id,
                standing.undoneBy != nil
                    ? time : min(standing.lease.expiresAt, time.advanced(bySeconds: isYoung ? 10 : 31_622_400)))
        case .applied where standing.isDelivered && standing.undoneBy == nil:
            attempts[id] = nil
            schedule.set(id, standing.lease.expiresAt)
        case .approved, .applied, .notInForce, .lifting, .lifted:
            let wait = LeaseDesk.backOff(attempts[id] ?? 0)
            // A lease that is tried again ends in time all the same.
            schedule.set(id, standing.undoneBy != nil && standing.phase.wantsForce ? time : time.advanced(byNanoseconds: wait))
        }
    }

    /// Nanoseconds to wait after so many tries in a row that came to nothing: from a tenth of a second, doubling, a minute at most.
    static func backOff(_ attempts: Int) -> Int64 {
        attempts == 0 ? 0 : min(100_000_000 << Int64(min(attempts - 1, 10)), 60_000_000_000)
    }

    // MARK: What

    /// What one enforcer is to do with which leases.
    struct Work: Sendable {
        var lifts: [Lease] = []
        /// Lifted by the enforcer's word, and not yet shown to be gone.
        var gone: [Lease] = []
        var orders: [Lease] = []
        var checks: [Lease] = []
        /// All that should hold is looked at, not only what is named here.
        var isRound = false

        var isEmpty: Bool { lifts.isEmpty && gone.isEmpty && orders.isEmpty && checks.isEmpty }
        var count: Int { lifts.count + gone.count + orders.count + checks.count }
    }

    private func step() async throws -> [String: Work] {
        let time = now()
        var works: [String: Work] = [:]
        var events: [LeaseEvent] = []
        var spent = book.spent(now: time)
        for id in schedule.take(time, limit: LeaseDesk.batch) {
            guard let standing = book.standings[id] else { continue }
            let lease = standing.lease
            let intent = book.intent(for: id, now: time, policy: policy, spent: spent)
            if case .record(let event) = intent {
                if case .approved = event { spent += 1 }
                events.append(event)
                continue
            }
            guard !atWork.contains(lease.enforcer) else {
                held[lease.enforcer, default: []].insert(id)
                continue
            }
            switch intent {
            case .apply: works[lease.enforcer, default: Work()].orders.append(lease)
            case .readBack: works[lease.enforcer, default: Work()].checks.append(lease)
            case .lift: works[lease.enforcer, default: Work()].lifts.append(lease)
            case .readBackGone: works[lease.enforcer, default: Work()].gone.append(lease)
            case nil:
                if case .inForce = standing.phase { works[lease.enforcer, default: Work()].checks.append(lease) }
            case .ask, .page, .record: reschedule(standing, at: time)
            }
        }
        if !events.isEmpty {
            let decided = events
            try await record(at: time) { _ in decided }
            bell.ring()
        }
        for enforcer in enforcers where !atWork.contains(enforcer.name) {
            let due = checkedAt[enforcer.name]?.advanced(bySeconds: policy.proofEvery) ?? time
            // A clock that was put back must not keep anything from being checked.
            guard due <= time || checkedAt[enforcer.name].map({ $0 > time }) == true else { continue }
            checkedAt[enforcer.name] = time
            var work = works[enforcer.name] ?? Work()
            let busy = Set((work.orders + work.checks).map(\.id))
            work.checks += book.standings.values.filter { standing in
                guard standing.lease.enforcer == enforcer.name, !busy.contains(standing.lease.id) else { return false }
                if case .inForce = standing.phase { return true }
                return standing.isDelivered && standing.phase == .applied
            }.map(\.lease)
            work.isRound = true
            works[enforcer.name] = work
        }
        works = works.filter { !$0.value.isEmpty }
        atWork.formUnion(works.keys)
        return works
    }

    // MARK: Carrying out

    private func carryOut(_ work: Work, by name: String) async {
        var events: [LeaseEvent] = []
        var taken: Timestamp?
        if let enforcer = enforcers.first(where: { $0.name == name }) {
            events += await lifting(work, enforcer)
            let ordered = await ordering(work.orders, enforcer)
            events += ordered.events
            taken = ordered.taken
            events += await checking(work.checks, enforcer)
        } else {
            events = LeaseDesk.failures(of: work, reason: "the enforcer '\(name)' is not configured any more")
        }
        let touched = Set((work.lifts + work.gone + work.orders + work.checks).map(\.id))
        for lease in work.lifts + work.gone + work.orders { attempts[lease.id, default: 0] += 1 }
        // What was in force and is not any more is ordered anew at once; what does not show yet is asked for again after a while.
        for lease in work.checks where book.standings[lease.id]?.phase == .applied { attempts[lease.id, default: 0] += 1 }
        do {
            let news = events
            try await record(at: now(), taken: taken) { book in news.filter { LeaseDesk.isNews($0, book) } }
        } catch {
            logger.error("what \(name) did with \(touched.count) leases cannot be written down: \(error); it is done again")
        }
        atWork.remove(name)
        for id in (held.removeValue(forKey: name) ?? []) { schedule.set(id, now()) }
        for id in touched { if let standing = book.standings[id] { reschedule(standing, at: now()) } }
        bell.ring()
    }

    /// What the book says already is not written down again.
    static func isNews(_ event: LeaseEvent, _ book: LeaseBook) -> Bool {
        guard let standing = book.standings[event.id] else { return false }
        switch event {
        case .notInForce(_, let reason): return standing.phase.wantsForce && standing.phase != .notInForce(reason)
        case .notLifted(_, let reason): return standing.trouble != reason
        case .proven(_, let proof):
            return standing.phase.wantsForce && standing.phase != .inForce(max(proof, standing.proof ?? proof))
        case .delivered: return standing.phase == .applied && !standing.isDelivered || standing.phase == .approved
        case .probed: return standing.phase.wantsForce && standing.phase != .approved
        case .applied: return standing.phase.wantsForce && standing.phase != .applied
        case .lifted(_, let isProven):
            if case .lifted(_, let before) = standing.phase { return isProven && !before }
            return true
        default: return true
        }
    }

    private static func failures(of work: Work, reason: String) -> [LeaseEvent] {
        (work.lifts + work.gone).map { .notLifted(id: $0.id, reason: reason) }
            + (work.orders + work.checks).map { .notInForce(id: $0.id, reason: reason) }
    }

    private func lifting(_ work: Work, _ enforcer: any Enforcer) async -> [LeaseEvent] {
        guard !work.lifts.isEmpty || !work.gone.isEmpty else { return [] }
        var events: [LeaseEvent] = []
        var asked = work.gone
        var shared: [Lease] = []
        for lease in work.lifts {
            // Another lease has the same effect: it goes on, until its own end.
            if !enforcer.keepsLeasesApart, let other = holders[Effect(lease)]?.min(), let standing = book.standings[other] {
                shared.append(standing.lease)
                events.append(.lifted(id: lease.id, isProven: true))
            } else {
                asked.append(lease)
            }
        }
        if !shared.isEmpty { _ = await ordering(shared, enforcer) }
        let failures = await LeaseDesk.each(Array(asked.dropFirst(work.gone.count))) { try await enforcer.lift($0) }
        let failed = Set(failures.map(\.0.id))
        events += failures.map { .notLifted(id: $0.0.id, reason: $0.1) }
        asked.removeAll { failed.contains($0.id) }
        do {
            let shown = try await enforcer.observe(asked)
            for lease in asked {
                events.append(.lifted(id: lease.id, isProven: shown[lease.id] == nil || shown[lease.id] == .absent))
            }
        } catch {
            // Ordered, and nobody can say whether it is gone: asked again until somebody can.
            events += asked.map { .notLifted(id: $0.id, reason: "\(error)") }
        }
        return events
    }

    /// - Returns: with when the enforcer had taken the orders.
    private func ordering(_ leases: [Lease], _ enforcer: any Enforcer) async -> (events: [LeaseEvent], taken: Timestamp?) {
        guard !leases.isEmpty else { return ([], nil) }
        // Of leases with the same effect, the last one's end counts.
        let orders = leases.map { lease in
            var order = lease
            guard !enforcer.keepsLeasesApart else { return order }
            for other in holders[Effect(lease)] ?? [] {
                if let end = book.standings[other]?.lease.expiresAt { order.expiresAt = max(order.expiresAt, end) }
            }
            return order
        }
        let time = now()
        var failed: [String: String] = [:]
        do {
            try await enforcer.apply(orders, now: time)
        } catch {
            // Perhaps somebody took away what it works with.
            try? await enforcer.prepare()
            for (lease, reason) in await LeaseDesk.each(orders, { try await enforcer.apply($0, now: time) }) {
                failed[lease.id] = reason
            }
        }
        let (taken, takenAt) = (leases.filter { failed[$0.id] == nil }, now())
        var events = leases.compactMap { lease in failed[lease.id].map { LeaseEvent.notInForce(id: lease.id, reason: $0) } }
        do {
            let shown = try await enforcer.observe(taken)
            for lease in taken {
                events.append(.applied(id: lease.id))
                events += LeaseEvent.proof(of: lease, shown[lease.id])
            }
        } catch {
            events += taken.map { .notInForce(id: $0.id, reason: "\(error)") }
        }
        return (events, takenAt)
    }

    private func checking(_ leases: [Lease], _ enforcer: any Enforcer) async -> [LeaseEvent] {
        guard !leases.isEmpty else { return [] }
        do {
            let shown = try await enforcer.observe(leases)
            return leases.flatMap { lease -> [LeaseEvent] in
                let isOrdered = book.standings[lease.id]?.phase == .applied
                if shown[lease.id] == nil || shown[lease.id] == .absent {
                    // An order that was just given may take a moment to show.
                    return isOrdered ? [] : [.notInForce(id: lease.id, reason: "\(enforcer.name) no longer shows it")]
                }
                return LeaseEvent.proof(of: lease, shown[lease.id])
            }
        } catch {
            return leases.map { .notInForce(id: $0.id, reason: "\(error)") }
        }
    }

    /// All at once; where that fails, each by itself.
    ///
    /// - Returns: those that failed, with the reason.
    private static func each(_ leases: [Lease], _ body: ([Lease]) async throws -> Void) async -> [(Lease, String)] {
        guard !leases.isEmpty else { return [] }
        do {
            try await body(leases)
            return []
        } catch  where leases.count == 1 {
            return [(leases[0], "\(error)")]
        } catch {
            var failures: [(Lease, String)] = []
            for lease in leases {
                do {
                    try await body([lease])
                } catch {
                    failures.append((lease, "\(error)"))
                }
                // The enforcer itself is away: the others would only wait, too.
                if failures.count == 3, failures.count == leases.firstIndex(of: lease).map({ $0 + 1 }) {
                    return failures + leases.dropFirst(3).map { ($0, failures[2].1) }
                }
            }
            return failures
        }
    }
}
