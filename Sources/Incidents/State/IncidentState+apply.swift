import Events

extension IncidentState {
    /// Takes the state over one event about it. Total: what cannot be was refused before it was recorded.
    mutating func apply(_ change: IncidentChange) {
        switch change.action {
        case .acknowledge:
            acknowledgedBy = change.author
            milestones[.acknowledged] = change.at
        case .phase(let from, let to): enter(to, from: from, at: change.at)
        case .close(let from, let resolution):
            if from == .detection || from == .triage { milestones[.triaged] = milestones[.triaged] ?? change.at }
            close(resolution, at: change.at)
        case .reopen: reopen(at: change.at)
        case .note: noteCount += 1
        case .statusUpdate:
            updateCount += 1
            milestones[.updateSent] = change.at
            write(change, isUpdate: true)
        case .say: write(change, isUpdate: false)
        case .assign(let role, let person):
            let assignment = RoleAssignment(role: role, person: person)
            if !roles.contains(assignment) { roles.append(assignment) }
        case .release(let role, let person): roles.removeAll { $0 == RoleAssignment(role: role, person: person) }
        case .addEntity(let entity): if !entities.contains(entity) { entities.append(entity) }
        case .affected(let users, let data):
            affectedUsers = users
            affectedData = data
        case .trafficLight(let light): trafficLight = light
        case .restrict(let accounts): readers = accounts
        case .unrestrict: readers = nil
        case .link(let kind, let other):
            let link = Link(kind: kind, incident: other)
            if !links.contains(link) { links.append(link) }
        case .unlink(let kind, let other): links.removeAll { $0 == Link(kind: kind, incident: other) }
        case .merge(let other):
            mergedInto = other
            close(.duplicate, at: change.at)
        case .split(let other, let findings, _):
            findingCount -= findings.count
            links.append(Link(kind: .related, incident: other))
        case .milestone(let milestone): milestones[milestone] = milestones[milestone] ?? change.at
        case .pauseClock(let clock):
            pauses.append(Pause(clock: clock, from: change.at, until: nil, reason: change.text))
        case .resumeClock(let clock):
            for index in pauses.indices where pauses[index].clock == clock && pauses[index].until == nil {
                pauses[index].until = max(change.at, pauses[index].from)
            }
        }
    }

    private mutating func enter(_ phase: Phase, from: Phase, at time: Timestamp) {
        self.phase = phase
        switch phase {
        case .detection, .closed: break
        case .triage: undo(.triaged, at: time)
        case .containment:
            milestones[.triaged] = milestones[.triaged] ?? time
            milestones[.containing] = milestones[.containing] ?? time
            undo(.contained, at: time)
            undo(.fixed, at: time)
        case .eradication:
            milestones[.contained] = milestones[.contained] ?? time
            undo(.fixed, at: time)
        case .recovery, .review:
            milestones[.triaged] = milestones[.triaged] ?? time
            // Without a containment there is nothing that was contained or fixed.
            guard milestones[.containing] != nil else { return }
            milestones[.contained] = milestones[.contained] ?? time
            milestones[.fixed] = milestones[.fixed] ?? time
        }
    }

    private mutating func undo(_ milestone: Milestone, at time: Timestamp) {
        guard let reached = milestones.removeValue(forKey: milestone) else { return }
        setbacks[milestone, default: []].append(Setback(reached: reached, at: max(time, reached)))
    }

    private mutating func close(_ resolution: Resolution, at time: Timestamp) {
        phase = .closed
        self.resolution = resolution
        milestones[.closed] = time
        endPauses(at: time)
    }

    private mutating func reopen(at time: Timestamp) {
        pastCycles.append(
            PastCycle(
                cycle: cycle, milestones: milestones, setbacks: setbacks, resolution: resolution, severityCount: severities.count)
        )
        phase = .triage
        cycle += 1
        resolution = nil
        acknowledgedBy = nil
        updateCount = 0
        milestones = [.opened: time]
        setbacks = [:]
        endPauses(at: time)
    }

    private mutating func endPauses(at time: Timestamp) {
        for index in pauses.indices where pauses[index].until == nil { pauses[index].until = max(time, pauses[index].from) }
    }

    mutating func apply(_ change: SeverityChange, recordedAt: Timestamp) {
        severities.append(
            SeverityStep(
                severity: change.to, at: change.at, recordedAt: recordedAt, author: change.author, reason: change.reason))
    }
}

extension IncidentState {
    /// Into the war room.
    fileprivate mutating func write(_ change: IncidentChange, isUpdate: Bool) {
        roomCount += 1
        room.append(RoomMessage(number: roomCount, at: change.at, author: change.author, text: change.text, isUpdate: isUpdate))
        if room.count > RoomMessage.maximumKept { room.removeFirst() }
    }
}
