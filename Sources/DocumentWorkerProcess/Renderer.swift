import CSandbox
import Confinement
import DocumentWorker
import Glibc

/// Makes of this process a renderer of pages: poppler's `pdftoppm`, a GPL program and therefore no library here, behind walls of its own.
///
/// It reads the document from its standard input, which nobody else writes to, and appends pictures to its standard output. Beside those it can
/// open fonts and its libraries, to read them, and nothing else: no file of the server, no network, no process, no way to write.
enum Renderer {
    static let program = "/usr/bin/pdftoppm"

    /// What `pdftoppm` opens by name. Folders that are missing are passed over.
    static let readable = [
        "/usr/lib", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/etc/localtime", "/usr/share/fonts",
        "/usr/local/share/fonts", "/usr/share/fontconfig", "/usr/share/poppler", "/usr/share/texmf/fonts",
        "/usr/share/texlive/texmf-dist/fonts", "/var/cache/fontconfig",
    ]
    /// The program, and what starts it.
    static let executable = [program, "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"]

    static func run(_ range: RenderedRange, _ descriptors: [Int32], _ limits: WorkerLimits) -> Never {
        guard descriptors.count == 2, range.first >= 0, range.last >= range.first, range.last < 10_000,
            range.dotsPerInch >= 10, range.dotsPerInch <= 300
        else { _exit(1) }
        guard access(program, X_OK) == 0 else { _exit(WorkerExit.noRenderer) }
        // The socket goes with the program, so that its end is noticed; what is inherited else is closed by the kernel.
        let socket = fcntl(0, F_DUPFD, 10)
        guard socket >= 0, dup2(descriptors[0], 0) == 0, dup2(descriptors[1], 1) == 1, lseek(0, 0, SEEK_SET) == 0,
            lseek(1, 0, SEEK_END) >= 0
        else { _exit(1) }
        let arguments = [
            "pdftoppm", "-q", "-gray", "-r", "\(range.dotsPerInch)", "-f", "\(range.first + 1)", "-l", "\(range.last + 1)", "-",
        ]
        let words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        let environment = ["LC_ALL=C.UTF-8", "TZ=UTC0", "HOME=/"]
        let variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        if let failure = Confinement.lockRenderer(limits, readable: readable, executable: executable) { _exit(failure) }
        execve(program, words, variables)
        _exit(WorkerExit.noRenderer)
    }
}
