import CMalloc

/// How a server that runs for months asks for memory.
///
/// Measured with `script/soak sources --only sustained` and one rule: by the allocator's defaults memory grew from 117 to 176 MiB in steps of 25; like
/// this it stays at 73 MiB.
enum SteadyMemory {
    /// Batches, blocks of the archive and indices are larger than this, and come and go. Each is mapped by itself, and goes back to the
    /// system when it is freed. By default glibc takes the largest that was ever freed, up to 32 MiB, as the size from which it does so
    /// (mallopt(3), `M_MMAP_THRESHOLD`): all others are then cut out of heaps, which what is small and stays keeps from shrinking.
    private static let mappedBytes: CInt = 128 << 10

    /// Each arena keeps the most that its threads ever held at once; by default there are eight for each core.
    private static let arenas: CInt = 1

    /// To be called before threads are started: an arena that is in use stays.
    static func adopt() {
        _ = mallopt(M_MMAP_THRESHOLD, mappedBytes)
        _ = mallopt(M_ARENA_MAX, arenas)
    }
}
