import Confinement
import DocumentWorker
import Foundation
import RMAP

/// The inside of `tatou-openpgp`: takes the keys from standard input, which is a socket, locks itself in, waits for one message, answers
/// and ends.
package enum OpenPGPMain {
    package static func run() -> Never {
        guard chdir("/") == 0 else { _exit(1) }
        // A full buffer must not hold a dying worker.
        _ = fcntl(2, F_SETFL, O_NONBLOCK)
        guard let files = receive(OpenPGPKeyFiles.self, most: OpenPGPKeyFiles.mostBytes) else { _exit(0) }
        do throws(KeyRing.Failure) {
            let keys = try KeyRing(
                serverKey: [UInt8](files.serverKey), passphrase: files.passphrase,
                clients: files.clients.mapValues { [UInt8]($0) })
            keys.warmUp()
            // Behind walls from here on, while it waits: nobody reads the key out of it, and nothing of strangers has come yet.
            guard Confinement.lock(files.limits) else { _exit(WorkerExit.couldNotLock) }
            guard let job = receive(OpenPGPJob.self, most: OpenPGPJob.mostBytes) else { _exit(0) }
            send(answer(to: job, keys))
        } catch {
            send(.failed(error.description))
        }
        _exit(0)
    }

    private static func answer(to job: OpenPGPJob, _ keys: borrowing KeyRing) -> OpenPGPAnswer {
        switch job {
        case .describe:
            .keys(identities: keys.identities, unusable: keys.unusable, serverKey: keys.openServerKey.map { Data($0) })
        case .decrypt(let message, let most): keys.decrypt([UInt8](message), most: most).map { .message(Data($0)) } ?? .nothing
        case .encrypt(let text, let identity):
            keys.encrypt([UInt8](text), to: identity).map { .message(Data($0)) } ?? .nothing
        case .probe(let probe): OpenPGPProbeRunner.run(probe)
        }
    }

    private static func receive<Message: Decodable>(_ type: Message.Type, most: Int) -> Message? {
        guard let header = WorkerSocket.read(Frame.headerBytes), let length = Frame.length(header, most: most),
            let body = WorkerSocket.read(length)
        else { return nil }
        return try? Frame.decode(type, body)
    }

    private static func send(_ answer: OpenPGPAnswer) {
        guard let bytes = try? Frame.encode(answer) else { return }
        WorkerSocket.write(bytes)
    }
}
