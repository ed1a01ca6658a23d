package import DocumentWorker
package import Foundation

/// What a worker is given before it locks itself in: the keys, which it needs to open what strangers send.
package struct OpenPGPKeyFiles: Codable, Sendable {
    package var serverKey: Data
    package var passphrase: String?
    package var clients: [String: Data]
    package var limits: WorkerLimits

    /// A frame of it is no longer: some hundreds of identities.
    package static let mostBytes = 16 << 20
}

/// One message, as it crosses to a worker.
package enum OpenPGPJob: Codable, Sendable {
    case describe
    case decrypt(Data, most: Int)
    case encrypt(Data, to: String)
    case probe(OpenPGPProbe)

    package static let mostBytes = 1 << 20
}

/// What a worker says. One that decrypts may have been taken over by what it read: it is believed no further than a stranger is.
package enum OpenPGPAnswer: Codable, Sendable {
    /// - Parameter serverKey: without its passphrase, where it had one: opening it takes a second, and is done once.
    case keys(identities: [String], unusable: [String], serverKey: Data?)
    /// The keys cannot be used; in words for the operator.
    case failed(String)
    case message(Data)
    /// No message that can be read; nobody to write to.
    case nothing
    /// A probe was allowed to do what it tried.
    case probed

    package static let mostBytes = 1 << 20
}

/// Things that the worker must not be able to do, done on purpose: how tests know that the walls stand.
package enum OpenPGPProbe: String, Codable, Sendable, CaseIterable {
    // Each has to end as a violation.
    case openFile, openSocket, runProgram, startThread
    // Each has to end as what its name says.
    case crash, sleep, useTime, useMemory, answerGarbage
}
