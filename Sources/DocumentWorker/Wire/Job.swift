/// One job, as it crosses to the worker. Documents come beside it, as open descriptors in the order that the job names them; where a
/// job has a result that is a document, the last descriptor takes it.
package struct JobRequest: Codable, Sendable {
    package enum Job: Codable, Sendable {
        case methods
        case inspect
        case embed(Mark)
        case read(method: String, key: String)
        /// By what the files say: a leak, then originals.
        case trace([TracedCopies])
        /// The document's pages as pictures, appended to the result: by a program that takes this process's place, and does not answer.
        case render(RenderedRange)
        /// Of pages that were rendered, to the result.
        case fingerprint
        /// Which originals pictures may be of: pictures, then fingerprints.
        case identify(pictures: Int)
        /// By pictures of pages: pictures, then the original, then its rendered pages.
        case measure(TracedCopies, PictureMatch, pictures: Int, rendered: [Int], among: Int)
        case probe(SandboxProbe)
        /// Behind the walls that a renderer has.
        case probeRenderer(SandboxProbe)
    }

    package var job: Job
    package var limits: WorkerLimits
    /// Sizes of the documents, in bytes.
    package var sizes: [Int]

    package init(job: Job, limits: WorkerLimits, sizes: [Int]) {
        self.job = job
        self.limits = limits
        self.sizes = sizes
    }
}

extension JobRequest {
    /// A frame of a request is no longer: some 50,000 versions.
    package static let mostBytes = 4 << 20
}

/// The copies that were made of an original.
package struct TracedCopies: Codable, Sendable {
    package var markingSecret: [UInt8]
    package var versions: [String]
}

/// Pages to render, counted from 0.
package struct RenderedRange: Codable, Sendable, Equatable {
    package var first: Int
    package var last: Int
    package var dotsPerInch: Double

    package init(first: Int, last: Int, dotsPerInch: Double) {
        self.first = first
        self.last = last
        self.dotsPerInch = dotsPerInch
    }
}

/// An original that pictures may be of.
package struct PictureMatch: Codable, Sendable, Equatable {
    /// Index among the fingerprints that were given.
    package var original: Int
    package var score: Int
    /// Per picture the pages that it may be, the likeliest first.
    package var pages: [[Int]]

    package init(original: Int, score: Int, pages: [[Int]]) {
        self.original = original
        self.score = score
        self.pages = pages
    }
}

/// What the worker says. It may have been taken over by the document it read: everything in here is checked before it is believed.
package enum JobAnswer: Codable, Sendable {
    package enum Failure: String, Codable, Sendable {
        case refused, notFound, invalidKey, memory
    }

    case methods([MarkMethod])
    case report(DocumentReport)
    case copy(MarkedCopy)
    case secret(String)
    case trace(TraceReport)
    /// A result was written.
    case done
    case matches([PictureMatch])
    case failed(Failure, String)
    /// A probe was allowed to do what it tried.
    case probed(String)
}

extension JobAnswer {
    /// A frame of an answer is no longer.
    package static let mostBytes = 1 << 20
}

/// Things that the worker must not be able to do, done on purpose: how tests, and `tatou check`, know that the walls stand.
package enum SandboxProbe: String, Codable, Sendable, CaseIterable {
    // Each has to end as a violation.
    case openFile, createFile, openSocket, runProgram, fork, startThread, signalParent, mapExecutable
    // Each has to end as what its name says.
    case useMemory, useTime, sleep, crash, abort, overflowStack, writeTooMuch
    // Answers of a worker that was taken over.
    case answerGarbage, answerWithoutEnd, answerTooLong, answerNothing, answerTwice
    // Fine: threads, descriptors, environment and limits, as the worker sees them.
    case describe
    // Of renderers, which may read fonts: each has to be refused by an error.
    case readElsewhere, writeElsewhere, renameElsewhere
}
