// What the kernel offers as variadic functions and macros, which Swift does not import.
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <spawn.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define SANDBOX_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "The sandbox knows the system calls of x86-64 and arm64 only."
#endif

static inline unsigned sandbox_architecture(void) { return SANDBOX_ARCHITECTURE; }

// glibc 2.34; its header hides it from Swift.
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);

// An anonymous file in memory, closed on exec. -1 and errno as open(2).
static inline int sandbox_memory_file(void) { return (int)syscall(SYS_memfd_create, "document", 1u /* MFD_CLOEXEC */); }

// A file without a name in a folder, for reading and writing, for this user only. -1 and errno as open(2).
static inline int sandbox_unnamed_file(const char *folder) {
    // O_TMPFILE, which the header hides: the same number on all architectures above.
    return open(folder, 020000000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0600);
}

// A new file, as above, but with a name.
static inline int sandbox_new_file(const char *path) { return open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600); }

// A call by its number, without arguments that matter: for probes.
static inline long sandbox_call(long number) { return syscall(number, 0L, 0L, 0L, 0L, 0L, 0L); }

// No new privileges, no core dump and no ptrace by this user; not undone by anything the process does.
static inline int sandbox_drop_privileges(void) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// For all threads at once: one that cannot follow makes it fail with its identifier.
static inline int sandbox_filter_calls(struct sock_filter *instructions, unsigned short count) {
    struct sock_fprog program = {.len = count, .filter = instructions};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

// Sends bytes, and at most 200 descriptors with the first of them. As sendmsg(2), without SIGPIPE.
static inline ssize_t sandbox_send(int socket, const void *bytes, size_t length, const int *descriptors, size_t count) {
    union { char bytes[CMSG_SPACE(200 * sizeof(int))]; struct cmsghdr align; } control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 200) { errno = EINVAL; return -1; }
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

// Receives bytes and the descriptors that came with them, `most` at most; `*count` says how many. As recvmsg(2).
static inline ssize_t sandbox_receive(int socket, void *bytes, size_t length, int *descriptors, size_t most, size_t *count) {
    union { char bytes[CMSG_SPACE(200 * sizeof(int))]; struct cmsghdr align; } control;
    struct iovec part = {.iov_base = bytes, .iov_len = length};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    *count = 0;
    ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (received < 0) return received;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        size_t held = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        *count = held < most ? held : most;
        memcpy(descriptors, CMSG_DATA(header), *count * sizeof(int));
    }
    return received;
}

// Rights that headers of Debian 12 do not name yet (landlock(7), ABI 3 and 5).
#define SANDBOX_FS_TRUNCATE (1ull << 14)
#define SANDBOX_FS_IOCTL_DEVICE (1ull << 15)

// A Landlock ruleset that forbids everything on files that the kernel can forbid, and where it knows how, sockets of TCP, abstract
// sockets and signals to others. -1 where it has no Landlock.
static inline int sandbox_landlock(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) return -1;
    struct { unsigned long long files, network, scoped; } rules = {(1ull << 13) - 1, 0, 0};
    size_t size = 8;
    if (version >= 2) rules.files |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3) rules.files |= SANDBOX_FS_TRUNCATE;
    if (version >= 4) { rules.network = 3; size = 16; }
    if (version >= 5) rules.files |= SANDBOX_FS_IOCTL_DEVICE;
    if (version >= 6) { rules.scoped = 3; size = 24; }
    return (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0u);
}

// Lets what stands at or under a path be read, and with `execute` be run. As open(2).
static inline int sandbox_landlock_allow(int rules, const char *path, int execute) {
    int place = open(path, 010000000 | O_CLOEXEC);  // O_PATH, which the header hides
    if (place < 0) return -1;
    struct stat status;
    struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE, .parent_fd = place};
    if (fstat(place, &status) == 0 && S_ISDIR(status.st_mode)) rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    if (execute) rule.allowed_access |= LANDLOCK_ACCESS_FS_EXECUTE;
    int result = (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0u);
    close(place);
    return result;
}

// For this process and whatever takes its place; never undone. Needs sandbox_drop_privileges() before.
static inline int sandbox_landlock_enforce(int rules) {
    int result = (int)syscall(SYS_landlock_restrict_self, rules, 0u);
    close(rules);
    return result;
}
