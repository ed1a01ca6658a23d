/// What one job may use.
package struct WorkerLimits: Codable, Sendable, Equatable {
    /// Seconds of CPU time, start of the worker included.
    package var cpuSeconds = 10
    /// Bytes of address space.
    package var memory = 512 << 20
    /// Seconds on the clock, from the moment the job is handed over.
    package var seconds = 30.0
    /// Bytes of all documents that are read.
    package var inputBytes = 64 << 20
    /// Bytes that the result may have.
    package var outputBytes = 128 << 20

    package init() {}
}
