import CSandbox
package import DocumentWorker
import Glibc

/// The walls around a worker. They go up once, after everything that needs more has been done, and never come down.
package enum Confinement {
    /// False where a wall could not be put up: then nothing may be read.
    package static func lock(_ limits: WorkerLimits) -> Bool {
        // The soft limit tells by its signal why the process died; the hard one ends what does not die of it.
        set(RLIMIT_CPU, rlim_t(limits.cpuSeconds), rlim_t(limits.cpuSeconds + 1))
            && set(RLIMIT_AS, rlim_t(limits.memory), rlim_t(limits.memory))
            && set(RLIMIT_FSIZE, rlim_t(limits.outputBytes), rlim_t(limits.outputBytes))
            && set(RLIMIT_CORE, 0, 0)
            && set(RLIMIT_NOFILE, 0, 0)
            && set(__RLIMIT_NPROC, 0, 0)
            && sandbox_drop_privileges() == 0
            && filter(CallFilter.program(process: getpid()))
    }

    /// The walls of a renderer, which loads libraries and fonts: files by Landlock, calls by a filter of its own.
    ///
    /// - Returns: the exit status that says why they do not stand; nil when they do.
    package static func lockRenderer(_ limits: WorkerLimits, readable: [String], executable: [String]) -> Int32? {
        guard set(RLIMIT_CPU, rlim_t(limits.cpuSeconds), rlim_t(limits.cpuSeconds + 1)),
            set(RLIMIT_AS, rlim_t(limits.memory), rlim_t(limits.memory)),
            set(RLIMIT_FSIZE, rlim_t(limits.outputBytes), rlim_t(limits.outputBytes)),
            set(RLIMIT_CORE, 0, 0), set(RLIMIT_NOFILE, 64, 64), set(__RLIMIT_NPROC, 0, 0), sandbox_drop_privileges() == 0
        else { return WorkerExit.couldNotLock }
        let rules = sandbox_landlock()
        guard rules >= 0 else { return WorkerExit.noLandlock }
        // A path that is missing is one less to read.
        for path in readable { _ = sandbox_landlock_allow(rules, path, 0) }
        for path in executable { _ = sandbox_landlock_allow(rules, path, 1) }
        guard sandbox_landlock_enforce(rules) == 0 else { return WorkerExit.noLandlock }
        return filter(CallFilter.rendererProgram(process: getpid())) ? nil : WorkerExit.couldNotLock
    }

    private static func set(_ resource: __rlimit_resource, _ soft: rlim_t, _ hard: rlim_t) -> Bool {
        var limit = rlimit(rlim_cur: soft, rlim_max: hard)
        return setrlimit(Int32(resource.rawValue), &limit) == 0
    }

    private static func filter(_ instructions: [sock_filter]) -> Bool {
        var program = instructions
        let count = UInt16(program.count)
        return program.withUnsafeMutableBufferPointer { sandbox_filter_calls($0.baseAddress, count) } == 0
    }
}
