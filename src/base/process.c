/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* How long a group that was asked to end has before it is killed. */
#define TERM_GRACE_NS (2 * CLOCK_S)
/* How long output may come from grandchildren once the child itself has ended. */
#define DRAIN_NS (200 * CLOCK_MS)

enum { IN, OUT, ERR, STREAMS };

struct child {
    const struct process_spec *spec;
    struct process_result *result;
    pid_t pid;
    int pid_fd;
    int streams[STREAMS]; /* our ends; -1: closed or none */
    size_t written, read; /* bytes of input and of all output */
};

const char *process_env(const char *name)
{
    return getenv(name);
}

/* ---- starting */

/* The value of PATH in the child's own environment. */
static const char *search_path(const char *const *env)
{
    for (; *env; env++)
        if (strncmp(*env, "PATH=", 5) == 0)
            return *env + 5;
    return "/usr/local/bin:/usr/bin:/bin";
}

/* As a shell sees it: a folder is no program. Sets errno. */
static bool is_program(const char *path)
{
    struct stat st;

    if (stat(path, &st) || access(path, X_OK))
        return false;
    errno = EACCES;
    return S_ISREG(st.st_mode);
}

/* posix_spawnp() would use our own PATH. */
int process_find(const char *program, const char *const *env, char ret_path[static PATH_MAX],
                 struct casb_error *err)
{
    const char *dir = strchr(program, '/') ? "" : search_path(env);
    char path[PATH_MAX];
    bool denied = false;
    size_t len;

    for (;; dir += len + 1) {
        len = strcspn(dir, ":");
        snprintf(path, sizeof path, "%.*s%s%s", (int)len, dir, len ? "/" : "", program);
        if (is_program(path)) {
            memcpy(ret_path, path, strlen(path) + 1);
            return 0;
        }
        denied |= errno == EACCES;
        if (!dir[len])
            break;
    }
    if (denied)
        return err_set(err, CASB_EDENIED, "program '%s' may not be executed", program);
    return err_set(err, CASB_ENOTFOUND, "program '%s' is not found", program);
}

static int start_error(const char *path, int sys_errno, struct casb_error *err)
{
    if (sys_errno == ENOENT && access(path, F_OK) == 0)
        return err_set(err, CASB_ENOTFOUND,
                       "program '%s' exists, but its interpreter or loader is missing", path);
    return err_set_errno(err, sys_errno, "start '%s'", path);
}

/* A fresh start for the child: a group of its own, no blocked or ignored signals. */
static int set_attributes(posix_spawnattr_t *attr)
{
    sigset_t none, all;
    int r;

    sigemptyset(&none);
    sigfillset(&all);
    r = posix_spawnattr_setsigmask(attr, &none);
    if (!r)
        r = posix_spawnattr_setsigdefault(attr, &all);
    if (!r)
        r = posix_spawnattr_setpgroup(attr, 0);
    if (!r)
        r = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                               POSIX_SPAWN_SETPGROUP);
    return r;
}

static int set_files(posix_spawn_file_actions_t *files, const struct process_spec *spec,
                     const int theirs[static STREAMS])
{
    int r = theirs[IN] < 0
                ? posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
                : posix_spawn_file_actions_adddup2(files, theirs[IN], STDIN_FILENO);

    if (!r)
        r = posix_spawn_file_actions_adddup2(files, theirs[OUT], STDOUT_FILENO);
    if (!r && !spec->inherit_stderr)
        r = posix_spawn_file_actions_adddup2(files, theirs[ERR], STDERR_FILENO);
    if (!r)
        r = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
    return r;
}

static int spawn(struct child *child, const char *path, const int theirs[static STREAMS])
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int r = posix_spawn_file_actions_init(&files);

    if (r)
        return r;
    r = posix_spawnattr_init(&attr);
    if (!r) {
        r = set_files(&files, child->spec, theirs);
        if (!r)
            r = set_attributes(&attr);
        if (!r)
            r = posix_spawn(&child->pid, path, &files, &attr, (char *const *)child->spec->argv,
                            (char *const *)child->spec->env);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    return r;
}

/*
 * Socket pairs and not pipes: writing to a child that does not read must not raise SIGPIPE. The
 * descriptors are above 2, so that none is overwritten before it is duplicated.
 */
static int open_stream(int *ret_ours, int *ret_theirs)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return errno;
    for (int i = 0; i < 2; i++) {
        int high = fcntl(pair[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

        close(pair[i]);
        pair[i] = high;
    }
    *ret_ours = pair[0];
    *ret_theirs = pair[1];
    return pair[0] < 0 || pair[1] < 0 ? EMFILE : 0;
}

static void close_all(int fds[static STREAMS])
{
    for (int i = 0; i < STREAMS; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}

static int start(struct child *child, struct casb_error *err)
{
    int theirs[STREAMS] = {-1, -1, -1}, failed;
    char path[PATH_MAX];
    int r = process_find(child->spec->argv[0], child->spec->env, path, err);

    if (r)
        return r;
    failed = child->spec->input ? open_stream(&child->streams[IN], &theirs[IN]) : 0;
    if (!failed)
        failed = open_stream(&child->streams[OUT], &theirs[OUT]);
    if (!failed && !child->spec->inherit_stderr)
        failed = open_stream(&child->streams[ERR], &theirs[ERR]);
    if (!failed)
        failed = spawn(child, path, theirs);
    close_all(theirs);
    if (failed)
        return start_error(path, failed, err);
    child->pid_fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    if (child->pid_fd >= 0)
        return 0;
    failed = errno;
    kill(-child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    return err_set_errno(err, failed, "watch '%s'", path);
}

/* ---- output and input */

static void close_stream(struct child *child, int which)
{
    close(child->streams[which]);
    child->streams[which] = -1;
}

static void feed(struct child *child)
{
    const char *rest = child->spec->input + child->written;
    ssize_t n = send(child->streams[IN], rest, strlen(rest), MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        child->written += (size_t)n;
    if (n <= 0 || !child->spec->input[child->written])
        close_stream(child, IN);
}

/* Takes what is there. CASB_EFAILED where it is a flood. */
static int drain(struct child *child, int which)
{
    struct buf *buf = which == OUT ? &child->result->out : &child->result->err;
    char piece[16384];
    ssize_t n = recv(child->streams[which], piece, sizeof piece, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0) {
        close_stream(child, which);
        return 0;
    }
    if (buf_append_cut(buf, piece, (size_t)n) > 0)
        child->result->truncated = true;
    child->read += (size_t)n;
    return child->read > PROCESS_FLOOD_BYTES ? CASB_EFAILED : 0;
}

/*
 * Waits for input, output, the child's end or the call's, and moves bytes. 1: the child ended.
 * Nothing at all for `until_ns` is CASB_ETIMEOUT.
 */
static int turn(struct child *child, int cancel_fd, int64_t until_ns)
{
    struct pollfd fds[] = {
        {.fd = child->streams[IN], .events = POLLOUT},
        {.fd = child->streams[OUT], .events = POLLIN},
        {.fd = child->streams[ERR], .events = POLLIN},
        {.fd = child->pid_fd, .events = POLLIN},
        {.fd = cancel_fd, .events = POLLIN},
    };
    int r = 0;

    if (poll(fds, ELEMENTS(fds), clock_poll_ms(until_ns)) < 0 && errno != EINTR)
        return CASB_EFAILED;
    if (fds[4].revents)
        return CASB_ECANCELLED;
    if (fds[IN].revents)
        feed(child);
    if (fds[OUT].revents)
        r = drain(child, OUT);
    if (r == 0 && fds[ERR].revents)
        r = drain(child, ERR);
    if (r == 0 && fds[3].revents)
        return 1;
    if (r == 0 && clock_now_ns() >= until_ns)
        return CASB_ETIMEOUT;
    return r;
}

/* ---- ending */

static void reap(struct child *child)
{
    int status = 0;

    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    child->result->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    child->result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/*
 * Ends the whole group. The child is not reaped before, so that its process group cannot be
 * somebody else's by now.
 */
static void end_group(struct child *child, bool gently)
{
    int64_t until_ns = clock_now_ns() + TERM_GRACE_NS;

    if (gently) {
        kill(-child->pid, SIGTERM);
        while (turn(child, -1, until_ns) == 0)
            ;
    }
    kill(-child->pid, SIGKILL);
}

static bool has_output(const struct child *child)
{
    return child->streams[OUT] >= 0 || child->streams[ERR] >= 0;
}

/* What grandchildren still say; none of them may hold us up. */
static int drain_rest(struct child *child)
{
    int64_t until_ns = clock_now_ns() + DRAIN_NS;
    int pid_fd = child->pid_fd, r = 0;

    child->pid_fd = -1;
    while (r == 0 && has_output(child))
        r = turn(child, -1, until_ns);
    child->pid_fd = pid_fd;
    return r == CASB_ETIMEOUT ? 0 : r;
}

static int watch(struct child *child, const struct casb_call *call, struct casb_error *err)
{
    const char *name = child->spec->argv[0];
    int r;

    do
        r = turn(child, call->cancel_fd, call->deadline_ns);
    while (r == 0);
    if (r > 0)
        r = drain_rest(child);
    end_group(child, r == CASB_ETIMEOUT || r == CASB_ECANCELLED);
    reap(child);
    switch (r) {
    case 0:
        return 0;
    case CASB_ETIMEOUT:
        return err_set(err, r, "'%s' did not end in time", name);
    case CASB_ECANCELLED:
        return err_set(err, r, "'%s' was cancelled", name);
    default:
        return err_set(err, r, "'%s' prints without end (more than %d bytes)", name,
                       PROCESS_FLOOD_BYTES);
    }
}

int process_run(const struct casb_call *call, const struct process_spec *spec,
                struct process_result *ret, struct casb_error *err)
{
    struct child child = {.spec = spec, .result = ret, .pid_fd = -1, .streams = {-1, -1, -1}};
    int r;

    *ret = (struct process_result){
        .status = -1, .out = BUF_INIT(PROCESS_OUTPUT_BYTES), .err = BUF_INIT(PROCESS_OUTPUT_BYTES)};
    r = start(&child, err);
    if (!r)
        r = watch(&child, call, err);
    close_all(child.streams);
    if (child.pid_fd >= 0)
        close(child.pid_fd);
    return r;
}

void process_result_free(struct process_result *result)
{
    buf_free(&result->out);
    buf_free(&result->err);
}
