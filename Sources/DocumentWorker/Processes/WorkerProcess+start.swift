import CSandbox
import Foundation
import Glibc

extension WorkerProcess {
    /// Its whole environment. One arena: further ones reserve address space, which is limited. No time zone to look up, no backtraces.
    private static let environment = ["MALLOC_ARENA_MAX=1", "SWIFT_BACKTRACE=enable=no", "TZ=UTC0", "LC_ALL=C.UTF-8"]

    /// The path of a program beside this one.
    package static func program(beside name: String) -> String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent(name).path
    }

    /// Starts one. It inherits a socket as standard input and one as standard error, and nothing else of this process.
    ///
    /// By posix_spawn, which copies no page tables: as quick from a large server as from a small one.
    package static func start(_ program: String) throws(WorkerError) -> WorkerProcess {
        var sockets: [Int32] = [-1, -1]
        var errors: [Int32] = [-1, -1]
        // Closed on exec from the first moment: processes that other threads start meanwhile get none of them. (pipe2 is not imported.)
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &sockets) == 0 else { throw failure("no socket", errno, program) }
        guard socketpair(AF_UNIX, kind, 0, &errors) == 0 else {
            let code = errno
            for socket in sockets { close(socket) }
            throw failure("no socket", code, program)
        }
        // Our ends do not block; its do.
        _ = fcntl(sockets[0], F_SETFL, O_NONBLOCK)
        _ = fcntl(errors[0], F_SETFL, O_NONBLOCK)

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, sockets[1], 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, errors[1], 2)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        // A group of its own: Control-C at the server's terminal lets jobs finish.
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETPGROUP))

        var pid: pid_t = 0
        let words: [UnsafeMutablePointer<CChar>?] = [strdup(program), nil]
        let variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for pointer in words + variables { free(pointer) } }
        let code = posix_spawn(&pid, program, &actions, &attributes, words, variables)
        close(sockets[1])
        close(errors[1])
        guard code == 0 else {
            close(sockets[0])
            close(errors[0])
            throw failure(program, code, program)
        }
        return WorkerProcess(name(program), pid: pid, socket: sockets[0], errors: errors[0])
    }

    private static func name(_ program: String) -> String { String(program.split(separator: "/").last ?? "") }

    private static func failure(_ what: String, _ code: Int32, _ program: String) -> WorkerError {
        .unavailable("A worker could not be started: \(what): \(InputFiles.reason(code)). Install \(name(program)) beside tatou.")
    }
}
