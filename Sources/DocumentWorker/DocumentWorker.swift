import Foundation
import Synchronization

/// Work on documents of strangers, none of which is read in this process.
///
/// Each job has a process of its own, `tatou-worker`, which has limits on CPU time, memory and output, may call some twenty functions of
/// the kernel and opens nothing: it is given the document as an open descriptor and ends with the job. What it says is bounded and checked.
/// A document that kills it is a ``WorkerError``, and no more than that.
///
/// Safe to use from any task. At most ``Configuration/concurrentJobs`` processes work at a time; further jobs wait in order.
package final class DocumentWorker: Sendable {
    package struct Configuration: Sendable {
        /// Where `tatou-worker` is; nil for the folder that this program is in.
        package var program: String?
        package var limits = WorkerLimits()
        package var concurrentJobs = max(2, ProcessInfo.processInfo.activeProcessorCount)
        /// Jobs beyond those at work that may wait; more are ``WorkerError/busy``.
        package var waitingJobs = 256
        /// Processes that are kept started, so that a job need not wait for its own to start.
        package var spareProcesses = 2

        package init() {}
    }

    let configuration: Configuration
    let program: String
    let gate: WorkerGate
    let spares: SpareProcesses

    package init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        program = configuration.program ?? WorkerProcess.program(beside: "tatou-worker")
        gate = WorkerGate(concurrent: configuration.concurrentJobs, waiting: configuration.waitingJobs)
        spares = SpareProcesses(most: configuration.spareProcesses) { [program] () throws(WorkerError) in
            try WorkerProcess.start(program)
        }
    }

    /// Ends the processes that wait for a job; those at work are left to finish.
    package func stop() { spares.stop() }
}

extension DocumentWorker {
    /// The methods there are. Ask once, at the start: it shows that workers start.
    package func methods() async throws(WorkerError) -> [MarkMethod] {
        guard case .methods(let methods) = try await run(.methods, []) else { throw .crashed(signal: 0) }
        return methods
    }

    /// What a document is. ``WorkerError/refused(_:)`` where it is none, is damaged beyond repair, or needs a password.
    package func inspect(_ document: DocumentSource) async throws(WorkerError) -> DocumentReport {
        guard case .report(let report) = try await run(.inspect, [document]) else { throw .crashed(signal: 0) }
        return report
    }

    /// Writes a marked copy. What cannot be marked is ``WorkerError/refused(_:)`` with the reason in plain words.
    package func embed(
        _ mark: Mark, in document: DocumentSource, to destination: DocumentDestination
    ) async throws(WorkerError) -> MarkedCopy {
        var output = try OutputFile(destination)
        guard case .copy(let copy) = try await run(.embed(mark), [document], output: output.descriptor) else {
            throw .crashed(signal: 0)
        }
        guard output.size == copy.size, copy.size > 0 else { throw .crashed(signal: 0) }
        try output.commit()
        return copy
    }

    /// The secret that a copy carries.
    ///
    /// ``WorkerError/notFound(_:)`` where it carries none; for `word-shift`, whose marks are read against originals, also where the sealed
    /// text beside them is lost: ask ``trace(_:among:)`` then.
    package func read(_ document: DocumentSource, method: String, key: String) async throws(WorkerError) -> String {
        guard case .secret(let secret) = try await run(.read(method: method, key: key), [document]) else {
            throw .crashed(signal: 0)
        }
        return secret
    }

    /// Has a worker try what it must not be able to do. Only for checks of the sandbox.
    package func probe(_ probe: SandboxProbe, asRenderer: Bool = false) async throws(WorkerError) -> String {
        let output = try OutputFile()
        let job = asRenderer ? JobRequest.Job.probeRenderer(probe) : .probe(probe)
        guard case .probed(let text) = try await run(job, [], output: output.descriptor) else {
            throw .crashed(signal: 0)
        }
        return text
    }
}
