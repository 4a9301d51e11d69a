/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include "base/clock.h"
#include "base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* How long a group that was asked to end has before it is killed. */
#define TERM_GRACE_NS (2 * CLOCK_S)
/* How long grandchildren may keep our pipes open once the child itself has ended. */
#define SETTLE_NS (200 * CLOCK_MS)

/* Of a child's standard error where each line is told. */
#define LINE_BYTES 1024

/* How often to look whether a child ended that cannot wake us. */
#define LOOK_MS 20

enum { OUT, ERR, PIPES };

struct child {
    const struct process_spec *spec;
    struct process_result *result;
    pid_t pid;  /* not reaped before all is done, so that its group cannot be another's by then */
    int pid_fd; /* wakes us when it ends; -1: not to be had (gVisor, valgrind) */
    int pipes[PIPES]; /* our ends; -1: none, or nobody writes any more */
    bool ended;
    size_t printed;  /* bytes of both */
    struct buf line; /* that is not complete yet, for spec->told */
};

const char *process_env(const char *name)
{
    return getenv(name);
}

/* ---- starting */

static int start_error(const char *path, int sys_errno, struct casb_error *err)
{
    if (sys_errno == ENOENT && access(path, F_OK) == 0)
        return err_set(err, CASB_ENOTFOUND,
                       "program '%s' exists, but its interpreter or loader is missing", path);
    return err_set_errno(err, sys_errno, "start '%s'", path);
}

/*
 * A fresh start: no blocked or ignored signals, and a session of its own. That is a process group,
 * and without a terminal, so that a program that asks for a password fails and does not wait.
 */
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
        r = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                               POSIX_SPAWN_SETSID);
    return r;
}

static int set_files(posix_spawn_file_actions_t *files, int input, const int theirs[static PIPES])
{
    int r = input < 0
                ? posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
                : posix_spawn_file_actions_adddup2(files, input, STDIN_FILENO);

    if (!r)
        r = posix_spawn_file_actions_adddup2(files, theirs[OUT], STDOUT_FILENO);
    if (!r)
        r = posix_spawn_file_actions_adddup2(files, theirs[ERR], STDERR_FILENO);
    if (!r)
        r = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
    return r;
}

static int spawn(struct child *child, const char *path, int input, const int theirs[static PIPES])
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int r = posix_spawn_file_actions_init(&files);

    if (r)
        return r;
    r = posix_spawnattr_init(&attr);
    if (!r) {
        r = set_files(&files, input, theirs);
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

/* Input waits in memory: no pipe that fills up, and no SIGPIPE where the child does not read. */
static int open_input(const char *text, int *ret_fd)
{
    _cleanup_(closep) int fd = memfd_create("input", MFD_CLOEXEC);
    size_t left = strlen(text);
    ssize_t n;

    if (fd < 0)
        return errno;
    for (; left; text += n, left -= (size_t)n) {
        n = write(fd, text, left);
        if (n < 0)
            return errno;
    }
    if (lseek(fd, 0, SEEK_SET) < 0)
        return errno;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int open_pipe(int *ret_ours, int *ret_theirs)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC))
        return errno;
    *ret_ours = ends[0];
    *ret_theirs = ends[1];
    return 0;
}

static int start(struct child *child, struct casb_error *err)
{
    _cleanup_(closep) int input = -1, out = -1, error = -1;
    char path[PATH_MAX];
    int r = program_find(child->spec->argv[0], child->spec->env, path, err), failed = 0;

    if (r)
        return r;
    if (child->spec->input)
        failed = open_input(child->spec->input, &input);
    if (!failed)
        failed = open_pipe(&child->pipes[OUT], &out);
    if (!failed)
        failed = open_pipe(&child->pipes[ERR], &error);
    if (!failed)
        failed = spawn(child, path, input, (int[PIPES]){out, error});
    if (failed)
        return start_error(path, failed, err);
    child->pid_fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    return 0;
}

/* ---- running */

static void close_pipe(struct child *child, int which)
{
    closep(&child->pipes[which]);
    child->pipes[which] = -1;
}

static void tell_line(struct child *child)
{
    child->spec->told(buf_text(&child->line), child->spec->told_arg);
    buf_reset(&child->line);
}

static void tell(struct child *child, const char *piece, size_t n)
{
    for (const char *end; (end = memchr(piece, '\n', n)); piece = end + 1) {
        buf_append_cut(&child->line, piece, (size_t)(end - piece));
        n -= (size_t)(end + 1 - piece);
        tell_line(child);
    }
    buf_append_cut(&child->line, piece, n);
}

static void keep(struct child *child, int which, const char *piece, size_t n)
{
    struct buf *kept = which == OUT ? &child->result->out : &child->result->err;

    if (which == ERR && child->spec->told)
        tell(child, piece, n);
    else if (buf_append_cut(kept, piece, n))
        child->result->truncated = true;
}

static void take_output(struct child *child, int which)
{
    char piece[16384];
    ssize_t n = read(child->pipes[which], piece, sizeof piece);

    if (n > 0) {
        keep(child, which, piece, (size_t)n);
        child->printed += (size_t)n;
        explicit_bzero(piece, (size_t)n); /* an answer may hold a token */
    } else if (n == 0 || errno != EINTR) {
        close_pipe(child, which);
    }
}

/* Leaves it to be reaped. */
static bool has_ended(const struct child *child)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
}

static bool is_done(const struct child *child, bool with_output)
{
    return child->ended && !(with_output && (child->pipes[OUT] >= 0 || child->pipes[ERR] >= 0));
}

/*
 * Takes output until the child ended, and, `with_output`, nobody has our pipes open any more.
 * CASB_ETIMEOUT or CASB_ECANCELLED by `call`; CASB_EFAILED where more than `most` was printed.
 */
static int run(struct child *child, const struct casb_call *call, bool with_output, size_t most)
{
    while (!is_done(child, with_output)) {
        struct pollfd fds[] = {
            {.fd = child->pipes[OUT], .events = POLLIN},
            {.fd = child->pipes[ERR], .events = POLLIN},
            {.fd = child->ended ? -1 : child->pid_fd, .events = POLLIN},
            {.fd = call->cancel_fd, .events = POLLIN},
        };
        int wait_ms = clock_poll_ms(call->deadline_ns);
        int r = clock_check(call);

        if (r)
            return r;
        if (child->pid_fd < 0 && wait_ms > LOOK_MS)
            wait_ms = LOOK_MS;
        poll(fds, ELEMENTS(fds), wait_ms);
        for (int i = OUT; i < PIPES; i++)
            if (fds[i].revents)
                take_output(child, i);
        child->ended = child->ended || has_ended(child);
        if (child->printed > most)
            return CASB_EFAILED;
    }
    return 0;
}

/* ---- ending */

/* The same by a time of our own, which nothing cuts short. */
static int run_for(struct child *child, int64_t ns, bool with_output)
{
    struct casb_call own = {.deadline_ns = clock_now_ns() + ns, .cancel_fd = -1};

    return run(child, &own, with_output, SIZE_MAX);
}

/* Ends the group; a process that the kernel cannot kill (in a driver) is left behind. */
static void stop(struct child *child, bool gently)
{
    if (gently) {
        kill(-child->pid, SIGTERM);
        kill(-child->pid, SIGCONT);
        run_for(child, TERM_GRACE_NS, true);
    }
    kill(-child->pid, SIGKILL);
    run_for(child, TERM_GRACE_NS, false);
}

static void reap(struct child *child)
{
    siginfo_t info = {0};

    if (!child->ended || waitid(P_PID, (id_t)child->pid, &info, WEXITED))
        return;
    if (info.si_code == CLD_EXITED)
        child->result->status = info.si_status;
    else
        child->result->signal = info.si_status;
}

static int stop_error(const char *name, int code, struct casb_error *err)
{
    switch (code) {
    case CASB_ETIMEOUT:
        return err_set(err, CASB_ETIMEOUT, "'%s' did not end in time", name);
    case CASB_ECANCELLED:
        return err_set(err, CASB_ECANCELLED, "'%s' was cancelled", name);
    default:
        return err_set(err, CASB_EFAILED, "'%s' prints without end (more than %d bytes)", name,
                       PROCESS_FLOOD_BYTES);
    }
}

int process_run(const struct casb_call *call, const struct process_spec *spec,
                struct process_result *ret, struct casb_error *err)
{
    const size_t kept = spec->output_bytes ? spec->output_bytes : PROCESS_OUTPUT_BYTES;
    struct child child = {
        .spec = spec, .result = ret, .pid_fd = -1, .pipes = {-1, -1}, .line = BUF_INIT(LINE_BYTES)};
    int r = clock_check(call);

    *ret = (struct process_result){.status = -1, .out = BUF_INIT(kept), .err = BUF_INIT(kept)};
    if (r)
        return stop_error(spec->argv[0], r, err);
    r = start(&child, err);
    if (!r) {
        r = run(&child, call, false, PROCESS_FLOOD_BYTES);
        if (r)
            stop(&child, r != CASB_EFAILED);
        else if (run_for(&child, SETTLE_NS, true))
            kill(-child.pid, SIGKILL);
        reap(&child);
        if (r)
            r = stop_error(spec->argv[0], r, err);
    }
    if (child.line.len > 0)
        tell_line(&child);
    buf_free_secret(&child.line);
    for (int i = OUT; i < PIPES; i++)
        close_pipe(&child, i);
    closep(&child.pid_fd);
    return r;
}

void process_result_free(struct process_result *result)
{
    buf_free_secret(&result->out);
    buf_free_secret(&result->err);
}
