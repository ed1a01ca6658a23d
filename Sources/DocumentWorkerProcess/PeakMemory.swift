import Glibc

/// The most that this process had in memory since it became this program.
///
/// Not getrusage(2): what that says begins with the memory of whoever started the process (`setmax_mm_hiwater_rss` in the kernel's exec),
/// and a large server would make every document look large. Opened before the walls go up, read behind them.
struct PeakMemory {
    private let status = open("/proc/self/status", O_RDONLY | O_CLOEXEC)

    /// 0 where the kernel does not tell.
    var bytes: Int {
        var text = [UInt8](repeating: 0, count: 8_192)
        let count = pread(status, &text, text.count, 0)
        guard count > 0 else { return 0 }
        let lines = text[..<count].split(separator: UInt8(ascii: "\n"))
        guard let line = lines.first(where: { $0.starts(with: "VmHWM:".utf8) }) else { return 0 }
        return line.reduce(0) { (0x30...0x39).contains($1) ? $0 * 10 + Int($1 - 0x30) : $0 } << 10
    }
}
