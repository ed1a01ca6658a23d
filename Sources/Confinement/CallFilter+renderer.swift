import CSandbox
import Glibc

/// The calls that a renderer may make. It is not our program, and another version of it may ask for a little more: what is not listed is
/// refused by an error, what no honest renderer asks for ends it.
extension CallFilter {
    private static let used: [Int32] = {
        var calls = [
            SYS_read, SYS_pread64, SYS_readv, SYS_write, SYS_writev, SYS_lseek, SYS_close, SYS_fstat, SYS_newfstatat, SYS_statx,
            SYS_fstatfs, SYS_statfs, SYS_getdents64, SYS_readlinkat, SYS_faccessat, SYS_faccessat2, SYS_fadvise64, SYS_fcntl,
            SYS_munmap, SYS_mremap, SYS_brk, SYS_madvise, SYS_futex, SYS_sched_yield, SYS_sched_getaffinity,
            SYS_getrandom, SYS_clock_gettime, SYS_getrusage, SYS_getpid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid,
            SYS_getegid, SYS_uname, SYS_sysinfo, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
            SYS_set_tid_address, SYS_set_robust_list, SYS_rseq, SYS_exit, SYS_exit_group,
            // Once for the program; Landlock lets nothing else be run.
            SYS_execve,
        ]
        #if arch(x86_64)
        calls += [SYS_access, SYS_readlink, SYS_arch_prctl]
        #endif
        return calls.map { Int32($0) }
    }()

    private static let never: [Int32] = {
        var calls = [
            SYS_socket, SYS_socketpair, SYS_connect, SYS_clone, SYS_clone3, SYS_ptrace, SYS_process_vm_readv,
            SYS_process_vm_writev,
            SYS_execveat, SYS_unshare, SYS_setns, SYS_mount, SYS_bpf, SYS_userfaultfd, SYS_io_uring_setup, SYS_perf_event_open,
            SYS_keyctl, SYS_add_key, SYS_memfd_create, SYS_kill, SYS_tkill, SYS_pidfd_open,
        ]
        #if arch(x86_64)
        calls += [SYS_fork, SYS_vfork]
        #endif
        return calls.map { Int32($0) }
    }()

    /// - Parameter process: as for ``program(process:)``.
    static func rendererProgram(process: pid_t) -> [sock_filter] {
        let refuse = SECCOMP_RET_ERRNO | UInt32(EACCES)
        var program = [
            load(Offset.architecture),
            jump(BPF_JEQ, sandbox_architecture(), yes: 1, no: 0),
            give(SECCOMP_RET_KILL_PROCESS),
            load(Offset.number),
        ]
        for call in used { program += [jump(BPF_JEQ, UInt32(call), yes: 0, no: 1), give(SECCOMP_RET_ALLOW)] }
        // Files are opened to be read: no flag that writes, makes or cuts (O_TMPFILE is one of 020000000).
        let writes = UInt32(O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND) | 0o20_000_000 & ~UInt32(O_DIRECTORY)
        program += [
            jump(BPF_JEQ, UInt32(SYS_openat), yes: 0, no: 4),
            load(Offset.argument(2)),
            jump(BPF_JSET, writes, yes: 1, no: 0),
            give(SECCOMP_RET_ALLOW),
            give(refuse),
        ]
        // Libraries are code; nothing is that can be written to, too.
        for call in [SYS_mmap, SYS_mprotect] {
            program += [
                jump(BPF_JEQ, UInt32(call), yes: 0, no: 5),
                load(Offset.argument(2)),
                sock_filter(code: UInt16(BPF_ALU | BPF_AND | BPF_K), jt: 0, jf: 0, k: UInt32(PROT_WRITE | PROT_EXEC)),
                jump(BPF_JEQ, UInt32(PROT_WRITE | PROT_EXEC), yes: 1, no: 0),
                give(SECCOMP_RET_ALLOW),
                give(refuse),
            ]
        }
        // Limits may be asked for, not set: the third argument is null.
        program += [
            jump(BPF_JEQ, UInt32(SYS_prlimit64), yes: 0, no: 6),
            load(Offset.argument(2)),
            jump(BPF_JEQ, 0, yes: 0, no: 3),
            load(Offset.argument(2) + 4),
            jump(BPF_JEQ, 0, yes: 0, no: 1),
            give(SECCOMP_RET_ALLOW),
            give(refuse),
        ]
        program += [
            jump(BPF_JEQ, UInt32(SYS_tgkill), yes: 0, no: 4),
            load(Offset.argument(0)),
            jump(BPF_JEQ, UInt32(process), yes: 0, no: 1),
            give(SECCOMP_RET_ALLOW),
            give(SECCOMP_RET_KILL_PROCESS),
        ]
        for call in never { program += [jump(BPF_JEQ, UInt32(call), yes: 0, no: 1), give(SECCOMP_RET_KILL_PROCESS)] }
        return program + [give(refuse)]
    }
}
