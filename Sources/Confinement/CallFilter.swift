import CSandbox
import Glibc

/// The calls of the kernel that a locked worker may make: everything else ends it by SIGSYS.
///
/// A classic BPF program for seccomp(2), made here and not by libseccomp: a list without priorities is forty lines, the tests hold it against
/// the kernel itself, and nothing has to be installed, loaded or kept up to date beside the worker. Of what libseccomp does
/// beyond that, two things matter and are done: calls of another architecture (on x86-64 also x32) match no number of the list and end the
/// process, and arguments are looked at where a call is allowed in one form only.
enum CallFilter {
    /// Called most come first: the list is walked for each call.
    private static let allowed: [Int32] = [
        SYS_read, SYS_pread64, SYS_write, SYS_pwrite64, SYS_writev, SYS_lseek, SYS_close,
        SYS_munmap, SYS_mremap, SYS_brk, SYS_madvise,
        SYS_futex, SYS_sched_yield,
        SYS_getrandom, SYS_clock_gettime, SYS_getrusage, SYS_getpid, SYS_gettid,
        SYS_rt_sigprocmask, SYS_rt_sigreturn,
        SYS_exit, SYS_exit_group,
    ]

    /// Where fields of `struct seccomp_data` stand; the lower half of an argument comes first on both architectures.
    enum Offset {
        static let number: UInt32 = 0
        static let architecture: UInt32 = 4
        static func argument(_ index: UInt32) -> UInt32 { 16 + 8 * index }
    }

    /// - Parameter process: the worker's own number: it may send signals to itself only, as abort(3) does.
    static func program(process: pid_t) -> [sock_filter] {
        var program = [
            load(Offset.architecture),
            jump(BPF_JEQ, sandbox_architecture(), yes: 1, no: 0),
            give(SECCOMP_RET_KILL_PROCESS),
            load(Offset.number),
        ]
        for call in allowed { program += [jump(BPF_JEQ, UInt32(call), yes: 0, no: 1), give(SECCOMP_RET_ALLOW)] }
        // Memory is never made executable: the third argument of both is the protection.
        for call in [SYS_mmap, SYS_mprotect] {
            program += [
                jump(BPF_JEQ, UInt32(call), yes: 0, no: 4),
                load(Offset.argument(2)),
                jump(BPF_JSET, UInt32(PROT_EXEC), yes: 1, no: 0),
                give(SECCOMP_RET_ALLOW),
                give(SECCOMP_RET_KILL_PROCESS),
            ]
        }
        program += [
            jump(BPF_JEQ, UInt32(SYS_tgkill), yes: 0, no: 4),
            load(Offset.argument(0)),
            jump(BPF_JEQ, UInt32(process), yes: 0, no: 1),
            give(SECCOMP_RET_ALLOW),
            give(SECCOMP_RET_KILL_PROCESS),
        ]
        return program + [give(SECCOMP_RET_KILL_PROCESS)]
    }

    static func load(_ offset: UInt32) -> sock_filter {
        sock_filter(code: UInt16(BPF_LD | BPF_W | BPF_ABS), jt: 0, jf: 0, k: offset)
    }

    static func jump(_ kind: Int32, _ value: UInt32, yes: UInt8, no: UInt8) -> sock_filter {
        sock_filter(code: UInt16(BPF_JMP | kind | BPF_K), jt: yes, jf: no, k: value)
    }

    static func give(_ action: UInt32) -> sock_filter {
        sock_filter(code: UInt16(BPF_RET | BPF_K), jt: 0, jf: 0, k: action)
    }
}
