import Dispatch
package import DocumentWorker
import Foundation

/// The server's key pair and the public keys of identities, used by processes of their own: this one contains no reader of OpenPGP.
///
/// Each message has its process, `tatou-openpgp`, which loads the keys, locks itself in and waits; it reads or writes one message and
/// ends. So a message that takes its reader over finds the private key, and nothing but an answer of at most a few bytes to tell it in; it
/// does not touch what other messages say, and writes none: what goes out is written by processes that read nothing of strangers.
///
/// Safe to use from any task.
package final class OpenPGPKeys: Sendable {
    package struct Configuration: Sendable {
        /// Where `tatou-openpgp` is; nil for the folder that this program is in.
        package var program: String?
        package var limits: WorkerLimits = {
            var limits = WorkerLimits()
            limits.cpuSeconds = 5
            limits.memory = 256 << 20
            limits.seconds = 10
            limits.outputBytes = 0
            return limits
        }()
        package var concurrentMessages = max(2, ProcessInfo.processInfo.activeProcessorCount)
        package var waitingMessages = 256
        /// Processes that have their keys loaded and wait, so that a message need not.
        package var spareProcesses = 3

        package init() {}
    }

    /// What is wrong with the keys: for the operator, at the start.
    package struct Failure: Error, Sendable, CustomStringConvertible {
        package var description: String
    }

    /// Names of those who can take part.
    package let identities: Set<String>
    /// Files that hold no key that can be encrypted to: said at the start, and left out.
    package let unusable: [String]
    private let processes: Processes

    /// Starts a process with the keys, and asks whose they are.
    ///
    /// - Parameters:
    ///   - serverKey: the server's private key, armoured or binary.
    ///   - clients: public keys by identity.
    package init(
        serverKey: [UInt8], passphrase: String?, clients: [String: [UInt8]], configuration: Configuration = Configuration()
    ) async throws(Failure) {
        var files = OpenPGPKeyFiles(
            serverKey: Data(serverKey), passphrase: passphrase, clients: clients.mapValues { Data($0) },
            limits: configuration.limits)
        var first = configuration
        // Passphrases are made slow to try. Nothing of strangers is in these files.
        (first.limits.cpuSeconds, first.limits.seconds, first.spareProcesses) = (60, 120, 0)
        files.limits = first.limits
        let answer: OpenPGPAnswer
        do {
            answer = try await Processes(first, keys: try Self.message(files)).ask(.describe)
        } catch let error as WorkerError {
            if case .unavailable(let message) = error { throw Failure(description: message) }
            throw Failure(description: "The keys could not be read: the process that did it ended (\(error.reason)).")
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: "The keys could not be read.")
        }
        switch answer {
        case .keys(let identities, let unusable, let openKey):
            self.identities = Set(identities)
            self.unusable = unusable
            files.limits = configuration.limits
            if let openKey { (files.serverKey, files.passphrase) = (openKey, nil) }
            processes = Processes(configuration, keys: try Self.message(files))
        case .failed(let description): throw Failure(description: description)
        default: throw Failure(description: "The keys could not be read: tatou-openpgp gave an answer that makes no sense.")
        }
    }

    private static func message(_ files: OpenPGPKeyFiles) throws(Failure) -> [UInt8] {
        guard let message = try? Frame.encode(files), message.count <= OpenPGPKeyFiles.mostBytes else {
            throw Failure(description: "The keys are too large: \(OpenPGPKeyFiles.mostBytes >> 20) MiB are read.")
        }
        return message
    }

    deinit { processes.spares.stop() }

    /// Letters, digits, `_`, `-` and `.`: identities are names of files, and go into logs.
    package static func isIdentity(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: ".")
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || [0x2D, 0x2E, 0x5F].contains(byte)
            }
    }

    /// What a message says that is encrypted to the server with its integrity protected; nil for everything else: plain messages, those under
    /// a password, for other keys, without protection, or of more than `most` bytes.
    package func decrypt(_ message: [UInt8], most: Int) async throws(WorkerError) -> [UInt8]? {
        let plain = try Self.bytes(of: await processes.ask(.decrypt(Data(message), most: most)))
        guard let plain else { return nil }
        guard plain.count <= most else { throw .crashed(signal: 0) }
        return plain
    }

    /// A message that only this identity reads; nil for names that are none.
    package func encrypt(_ text: [UInt8], to identity: String) async throws(WorkerError) -> [UInt8]? {
        try Self.bytes(of: await processes.ask(.encrypt(Data(text), to: identity)))
    }

    /// Has a worker try what it must not be able to do. Only for checks of the walls.
    package func probe(_ probe: OpenPGPProbe) async throws(WorkerError) -> OpenPGPAnswer {
        try await processes.ask(.probe(probe))
    }

    private static func bytes(of answer: OpenPGPAnswer) throws(WorkerError) -> [UInt8]? {
        switch answer {
        case .message(let data): [UInt8](data)
        case .nothing: nil
        default: throw .crashed(signal: 0)
        }
    }
}

extension OpenPGPKeys {
    /// Processes that have the keys, each for one message.
    private struct Processes: Sendable {
        let limits: WorkerLimits
        let gate: WorkerGate
        let spares: SpareProcesses

        init(_ configuration: Configuration, keys: [UInt8]) {
            let program = configuration.program ?? WorkerProcess.program(beside: "tatou-openpgp")
            limits = configuration.limits
            gate = WorkerGate(concurrent: configuration.concurrentMessages, waiting: configuration.waitingMessages)
            spares = SpareProcesses(most: configuration.spareProcesses) { [limits] () throws(WorkerError) in
                let process = try WorkerProcess.start(program)
                // One that does not take its keys is told by its end.
                _ = process.prepare(keys, seconds: limits.seconds)
                return process
            }
        }

        func ask(_ job: OpenPGPJob) async throws(WorkerError) -> OpenPGPAnswer {
            guard let request = try? Frame.encode(job), request.count <= OpenPGPJob.mostBytes else {
                throw .refused("The message is too long.")
            }
            try await gate.enter()
            defer { gate.leave() }
            let result = await withCheckedContinuation { continuation in
                // A thread that may block: as many as there are messages at a time.
                DispatchQueue.global().async {
                    continuation.resume(
                        returning: Result { () throws(WorkerError) in
                            let process = try spares.take()
                            spares.fill()
                            return try process.exchange(request, [], limits: limits, most: OpenPGPAnswer.mostBytes)
                        })
                }
            }
            let body = try result.get()
            guard let answer = try? Frame.decode(OpenPGPAnswer.self, body) else { throw .crashed(signal: 0) }
            return answer
        }
    }
}
