/// How a worker ends that has read nothing: its exit status tells why.
package enum WorkerExit {
    /// The walls could not be put up.
    package static let couldNotLock: Int32 = 70
    /// There is no program to render with.
    package static let noRenderer: Int32 = 71
    /// The kernel cannot keep a renderer from files.
    package static let noLandlock: Int32 = 72
    /// It cannot work on its own document: what it would say of others is worth nothing.
    package static let couldNotWarmUp: Int32 = 73
}
