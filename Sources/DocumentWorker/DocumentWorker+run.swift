import Dispatch

extension DocumentWorker {
    /// One job in one process. Cancelling the task ends the process.
    func run(
        _ job: JobRequest.Job, _ documents: [DocumentSource], output: Int32? = nil
    ) async throws(WorkerError) -> JobAnswer {
        let limits = job.isTracing ? configuration.limits.forTracing : configuration.limits
        let inputs = try InputFiles(documents, most: limits.inputBytes)
        let request: [UInt8]
        do {
            request = try Frame.encode(JobRequest(job: job, limits: limits, sizes: inputs.sizes))
        } catch {
            throw .refused("The request cannot be passed on.")
        }
        guard request.count <= JobRequest.mostBytes else { throw .refused("The request is too long: too many copies at once.") }
        try await gate.enter()
        defer { gate.leave() }
        guard !Task.isCancelled else { throw .unavailable("The request was cancelled.") }
        let process = try spares.take()
        spares.fill()
        let descriptors = inputs.descriptors + (output.map { [$0] } ?? [])
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A thread that may block: as many as there are jobs at a time.
                DispatchQueue.global().async {
                    continuation.resume(
                        returning: Result { () throws(WorkerError) -> JobAnswer in
                            if job.isRendering {
                                try process.carryOut(request, descriptors, limits: limits)
                                return .done
                            }
                            let body = try process.exchange(request, descriptors, limits: limits, most: JobAnswer.mostBytes)
                            guard let answer = (try? Frame.decode(JobAnswer.self, body))?.checked() else {
                                throw .crashed(signal: 0)
                            }
                            return answer
                        })
                }
            }
        } onCancel: {
            process.end()
        }
        return try Self.answer(try result.get())
    }

    private static func answer(_ answer: JobAnswer) throws(WorkerError) -> JobAnswer {
        guard case .failed(let failure, let message) = answer else { return answer }
        switch failure {
        case .refused: throw .refused(message)
        case .notFound: throw .notFound(message)
        case .invalidKey: throw .invalidKey(message)
        case .memory: throw .killed(.memory)
        }
    }
}

extension JobRequest.Job {
    fileprivate var isTracing: Bool {
        switch self {
        case .trace, .render, .fingerprint, .identify, .measure: true
        case .methods, .inspect, .embed, .read, .probe, .probeRenderer: false
        }
    }

    fileprivate var isRendering: Bool {
        if case .render = self { true } else { false }
    }
}

extension WorkerLimits {
    /// Pictures of pages are large, and are compared with every copy.
    var forTracing: WorkerLimits {
        var limits = self
        limits.cpuSeconds *= 4
        limits.memory *= 4
        limits.seconds *= 4
        limits.inputBytes *= 8
        limits.outputBytes *= 4
        return limits
    }
}
