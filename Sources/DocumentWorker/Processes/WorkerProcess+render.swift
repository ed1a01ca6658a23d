extension WorkerProcess {
    /// Hands over a job for which another program takes the worker's place: it says nothing, and is done when it ends well.
    func carryOut(_ request: [UInt8], _ descriptors: [Int32], limits: WorkerLimits) throws(WorkerError) {
        let deadline = ContinuousClock.now + .seconds(limits.seconds)
        var isLate = false
        var hasSpoken = false
        do {
            try send(request, descriptors, until: deadline)
            // The socket stays with it to its end. Nothing that it says is what was asked for.
            hasSpoken = try receive(1, until: deadline) != nil
        } catch {
            isLate = true
        }
        if isLate || hasSpoken { end() }
        let death = reap(mostSeconds: isLate || hasSpoken ? nil : 1)
        if isLate { throw .killed(.time) }
        if hasSpoken { throw .crashed(signal: 0) }
        guard let death, !death.wasEnded, death.status & 0x7F == 0 else {
            throw Self.error(death, limits: limits, said: said(), program: program)
        }
        switch death.status >> 8 & 0xFF {
        case 0: return
        case WorkerExit.couldNotLock, WorkerExit.couldNotWarmUp, 127:
            throw Self.error(death, limits: limits, said: said(), program: program)
        case WorkerExit.noRenderer:
            throw .unavailable("Pages cannot be rendered: pdftoppm is missing (Debian: poppler-utils).")
        case WorkerExit.noLandlock:
            throw .unavailable("Pages cannot be rendered safely: this kernel has no Landlock (Linux 5.13).")
        default: throw .refused("The pages of the document cannot be rendered. Export it again from where it came from.")
        }
    }
}
