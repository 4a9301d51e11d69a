/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded: has one allocation or one system call of a program fail, or all from one on.
 * $FAILING says which: "memory 17" the 17th allocation, "memory 17+" it and all after it; "call 17"
 * the 17th of the calls below; "none" nothing. $FAILING_LOG is a file that gets a line for the
 * first that failed and where that was, and at the end how many there were of each kind. Children
 * of the program know nothing of it.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum kind { MEMORY, CALL, KINDS };

static const char *const kinds[KINDS] = {"memory", "call"};
static atomic_long counts[KINDS];
static bool armed, lasting;
static enum kind kind;
static long at; /* 0: none fails */
static int log_fd = -1;

/* By its number: what the library itself calls is not counted. */
static void note(const char *what, long n)
{
    static atomic_flag noted = ATOMIC_FLAG_INIT;
    void *frames[32];
    char line[100];

    if (log_fd < 0 || atomic_flag_test_and_set(&noted))
        return;
    dprintf(log_fd, "%s", (snprintf(line, sizeof line, "%ld: %s\n", n, what), line));
    backtrace_symbols_fd(frames, backtrace(frames, 32), log_fd);
}

static bool fails(enum kind of, const char *what, int error)
{
    static _Thread_local bool inside;
    long n;

    if (!armed || inside)
        return false;
    n = atomic_fetch_add(&counts[of], 1) + 1;
    if (of != kind || at == 0 || n < at || (n > at && !lasting))
        return false;
    inside = true;
    note(what, n);
    inside = false;
    errno = error;
    return true;
}

__attribute__((constructor)) static void arm(void)
{
    const char *wanted = getenv("FAILING"), *log = getenv("FAILING_LOG");
    void *frame;

    if (!wanted)
        return;
    if (log)
        log_fd =
            fcntl(open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), F_DUPFD_CLOEXEC, 900);
    for (size_t i = 0; i < KINDS; i++) {
        size_t len = strlen(kinds[i]);

        if (strncmp(wanted, kinds[i], len) == 0) {
            kind = (enum kind)i;
            at = atol(wanted + len);
        }
    }
    lasting = strchr(wanted, '+') != NULL;
    backtrace(&frame, 1); /* loads what it needs */
    unsetenv("LD_PRELOAD");
    unsetenv("FAILING");
    unsetenv("FAILING_LOG");
    armed = true;
}

__attribute__((destructor)) static void tell(void)
{
    armed = false;
    if (log_fd >= 0)
        dprintf(log_fd, "memory %ld call %ld\n", atomic_load(&counts[MEMORY]),
                atomic_load(&counts[CALL]));
}

/* ---- memory; glibc's own names for what is behind the public ones */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

EXPORT void *malloc(size_t size)
{
    return fails(MEMORY, "malloc", ENOMEM) ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
    return fails(MEMORY, "calloc", ENOMEM) ? NULL : __libc_calloc(count, size);
}

EXPORT void *realloc(void *old, size_t size)
{
    return fails(MEMORY, "realloc", ENOMEM) ? NULL : __libc_realloc(old, size);
}

EXPORT void *memalign(size_t alignment, size_t size);
EXPORT void *memalign(size_t alignment, size_t size)
{
    return fails(MEMORY, "memalign", ENOMEM) ? NULL : __libc_memalign(alignment, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

EXPORT int posix_memalign(void **ret, size_t alignment, size_t size)
{
    *ret = memalign(alignment, size);
    return *ret ? 0 : ENOMEM;
}

/* ---- system calls, as the C library's functions */

/* A function that gives `failure` with errno where it is its turn to fail. */
#define WRAP(type, name, parameters, arguments, failure, error)                                    \
    EXPORT type name parameters;                                                                   \
    EXPORT type name parameters                                                                    \
    {                                                                                              \
        static type(*_Atomic real) parameters;                                                     \
                                                                                                   \
        if (!real)                                                                                 \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                             \
        return fails(CALL, #name, error) ? failure : real arguments;                               \
    }

#define WRAP_OPEN(name)                                                                            \
    EXPORT int name(const char *path, int flags, ...);                                             \
    EXPORT int name(const char *path, int flags, ...)                                              \
    {                                                                                              \
        static int (*_Atomic real)(const char *, int, ...);                                        \
        mode_t mode = 0;                                                                           \
        va_list ap;                                                                                \
                                                                                                   \
        va_start(ap, flags);                                                                       \
        if (flags & (O_CREAT | O_TMPFILE))                                                         \
            mode = va_arg(ap, mode_t);                                                             \
        va_end(ap);                                                                                \
        if (!real)                                                                                 \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                             \
        return fails(CALL, #name, EMFILE) ? -1 : real(path, flags, mode);                          \
    }

#define WRAP_OPENAT(name)                                                                          \
    EXPORT int name(int dir, const char *path, int flags, ...);                                    \
    EXPORT int name(int dir, const char *path, int flags, ...)                                     \
    {                                                                                              \
        static int (*_Atomic real)(int, const char *, int, ...);                                   \
        mode_t mode = 0;                                                                           \
        va_list ap;                                                                                \
                                                                                                   \
        va_start(ap, flags);                                                                       \
        if (flags & (O_CREAT | O_TMPFILE))                                                         \
            mode = va_arg(ap, mode_t);                                                             \
        va_end(ap);                                                                                \
        if (!real)                                                                                 \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                             \
        return fails(CALL, #name, EMFILE) ? -1 : real(dir, path, flags, mode);                     \
    }

WRAP_OPEN(open)
WRAP_OPEN(open64)
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)
WRAP(ssize_t, read, (int fd, void *to, size_t n), (fd, to, n), -1, EIO)
WRAP(ssize_t, pread, (int fd, void *to, size_t n, off_t from), (fd, to, n, from), -1, EIO)
WRAP(ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n), -1, ENOSPC)
WRAP(off_t, lseek, (int fd, off_t to, int whence), (fd, to, whence), -1, EIO)
WRAP(int, fsync, (int fd), (fd), -1, EIO)
WRAP(int, fdatasync, (int fd), (fd), -1, EIO)
WRAP(int, ftruncate, (int fd, off_t size), (fd, size), -1, EIO)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), -1, EIO)
WRAP(int, fstat, (int fd, struct stat *to), (fd, to), -1, EIO)
WRAP(int, stat, (const char *path, struct stat *to), (path, to), -1, EIO)
WRAP(int, lstat, (const char *path, struct stat *to), (path, to), -1, EIO)
WRAP(int, access, (const char *path, int mode), (path, mode), -1, EIO)
WRAP(int, rename, (const char *from, const char *to), (from, to), -1, EIO)
WRAP(int, linkat, (int a, const char *from, int b, const char *to, int flags),
     (a, from, b, to, flags), -1, EMLINK)
WRAP(int, unlink, (const char *path), (path), -1, EIO)
WRAP(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags), -1, EIO)
WRAP(int, remove, (const char *path), (path), -1, EIO)
WRAP(int, rmdir, (const char *path), (path), -1, EIO)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), -1, ENOSPC)
WRAP(char *, mkdtemp, (char *path), (path), NULL, ENOSPC)
WRAP(int, mkostemp, (char *path, int flags), (path, flags), -1, ENOSPC)
WRAP(char *, realpath, (const char *path, char *to), (path, to), NULL, EIO)
WRAP(ssize_t, readlink, (const char *path, char *to, size_t n), (path, to, n), -1, EIO)
WRAP(DIR *, opendir, (const char *path), (path), NULL, EMFILE)
WRAP(int, flock, (int fd, int operation), (fd, operation), -1, ENOLCK)
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1, EMFILE)
WRAP(int, socketpair, (int domain, int type, int protocol, int fds[2]),
     (domain, type, protocol, fds), -1, EMFILE)
WRAP(int, connect, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n), -1, ENETUNREACH)
WRAP(ssize_t, send, (int fd, const void *from, size_t n, int flags), (fd, from, n, flags), -1,
     ECONNRESET)
WRAP(ssize_t, recv, (int fd, void *to, size_t n, int flags), (fd, to, n, flags), -1, ECONNRESET)
WRAP(int, poll, (struct pollfd * fds, nfds_t n, int timeout), (fds, n, timeout), -1, ENOMEM)
WRAP(int, pipe2, (int fds[2], int flags), (fds, flags), -1, EMFILE)
WRAP(int, eventfd, (unsigned count, int flags), (count, flags), -1, EMFILE)
WRAP(int, memfd_create, (const char *name, unsigned flags), (name, flags), -1, EMFILE)

/* These two give the error. */
EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attr, char *const argv[], char *const env[])
{
    static int (*_Atomic real)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                               const posix_spawnattr_t *, char *const[], char *const[]);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "posix_spawn");
    return fails(CALL, "posix_spawn", EAGAIN) ? EAGAIN : real(pid, path, actions, attr, argv, env);
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                          void *arg)
{
    static int (*_Atomic real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return fails(CALL, "pthread_create", EAGAIN) ? EAGAIN : real(thread, attr, run, arg);
}
