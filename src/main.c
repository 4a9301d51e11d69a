/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "base/wipe.h"
#include "command/cli.h"
#include "command/commands.h"
#include "log.h"
#include "settings/options.h"
#include "settings/variables.h"
#include "terminal.h"

#include <cas-backup/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

extern char **environ;

#define READING_NS                                                                                 \
    (600 * CLOCK_S)     /* until the settings are read, which may say another deadline             \
                         */
#define TICK_NS CLOCK_S /* how often to look again once an end is due */

/*
 * How long an answer may take that comes after the deadline or a signal: with cleaning up before it
 * the end is within 20 s.
 */
#define ANSWER_NS      (5 * CLOCK_S)
#define LAST_ANSWER_NS (2 * CLOCK_S)

/* What the thread that ends the process shares with the commands. */
struct ending {
    sigset_t set;
    atomic_int number; /* of the first signal */
    atomic_bool over;  /* the command ended: the next signal only wakes the thread */
    atomic_int_least64_t deadline_ns;
    struct cmd_work work;
    int cancel_fd;
    pthread_t thread;
};

/* The owner's key passes through this process: nothing of it may be left behind. */
static int limit_process(struct casb_error *err)
{
    const struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        return err_set_errno(err, errno, "cannot switch off core dumps");
    unsetenv("SSLKEYLOGFILE"); /* libcurl would write there what opens our connections */
    umask(077);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* ignored, as by some parents: no child would leave its status */
    mallopt(M_ARENA_MAX, 8);  /* of hundreds of threads most wait */
    return 0;
}

/* A descriptor that opens as 0, 1 or 2 would receive what is meant for the user. */
static int open_standard_streams(struct casb_error *err)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
        if (fd < 0)
            return err_set_errno(err, errno, "/dev/null");
    } while (fd <= STDERR_FILENO);
    close(fd);
    return 0;
}

/* Not by _exit(), for which a sanitizer has one that flushes the output that may be stuck. */
static noreturn void end_at_once(int status)
{
    log_flush();
    for (;;)
        syscall(SYS_exit_group, status);
}

/* When the process ends if it has nothing to clean up then. */
static int64_t end_of_idling(struct ending *ending)
{
    int64_t deadline_ns = atomic_load(&ending->deadline_ns), idle_ns, answer_ns;

    pthread_mutex_lock(&ending->work.lock);
    idle_ns = ending->work.idle_ns;
    pthread_mutex_unlock(&ending->work.lock);
    if (atomic_load(&ending->number))
        return idle_ns + LAST_ANSWER_NS;
    answer_ns = idle_ns + ANSWER_NS;
    return deadline_ns > answer_ns ? deadline_ns : answer_ns;
}

/* Ends the process, unless something has to be cleaned up; nothing is begun meanwhile. */
static void end_idling(struct ending *ending, int status, const char *why)
{
    pthread_mutex_lock(&ending->work.lock);
    if (!ending->work.busy) {
        if (why)
            log_error("%s", why);
        end_at_once(status);
    }
    pthread_mutex_unlock(&ending->work.lock);
}

/* The next signal; 0 where there was none until it is time to look at the clock again. */
static int next_signal(struct ending *ending)
{
    int64_t wait_ns = end_of_idling(ending) - clock_now_ns();
    struct timespec wait;
    int number;

    if (wait_ns < TICK_NS)
        wait_ns = TICK_NS;
    wait = (struct timespec){.tv_sec = wait_ns / CLOCK_S, .tv_nsec = wait_ns % CLOCK_S};
    number = sigtimedwait(&ending->set, NULL, &wait);
    return number > 0 ? number : 0;
}

static void first_signal(struct ending *ending, int number)
{
    atomic_store(&ending->number, number);
    end_idling(ending, 128 + number, NULL);
    log_info("SIG%s: cleaning up; another signal, after a second, ends it at once",
             sigabbrev_np(number));
    /* last: a command that ended at once would be one that idles */
    eventfd_write(ending->cancel_fd, 1);
}

/*
 * Where something has to be cleaned up the first signal asks for the end, and a later one is the
 * end; one request may come as two signals, as timeout(1) sends one to the process and one to its
 * group. Else a signal or the deadline is the end: the process may be waiting for somebody who
 * never writes to a pipe that it reads, or never reads what it writes.
 */
static void *end_in_time(void *arg)
{
    struct ending *ending = arg;
    int64_t again_ns = 0;

    for (;;) {
        int number = next_signal(ending), first = atomic_load(&ending->number);
        int64_t now_ns = clock_now_ns();

        if (atomic_load(&ending->over))
            return NULL;
        if (number && !first) {
            first_signal(ending, number);
            again_ns = now_ns + CLOCK_S;
        } else if (number && now_ns >= again_ns) {
            end_at_once(128 + number);
        } else if (now_ns >= end_of_idling(ending)) {
            end_idling(ending, first ? 128 + first : EXIT_PASS_FAILED,
                       "the time is over: somebody does not write to a pipe that is read, or does "
                       "not read what is written");
        }
    }
}

/* sigwait() would take what is ignored, too. */
static bool is_ignored(int number)
{
    struct sigaction now;

    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static int64_t first_deadline(const struct request *request)
{
    int64_t ns = READING_NS;

    if (request->deadline && text_parse_duration(request->deadline, &ns))
        ns = READING_NS; /* settings_load() says what is wrong with it */
    return clock_now_ns() + ns;
}

/* Blocks the signals in this thread and all that it starts, but for the one that takes them. */
static int start_ending(struct ending *ending, const struct request *request,
                        struct casb_error *err)
{
    int r;

    sigemptyset(&ending->set);
    sigaddset(&ending->set, SIGTERM);
    sigaddset(&ending->set, SIGINT);
    if (!is_ignored(SIGHUP)) /* nohup(1) */
        sigaddset(&ending->set, SIGHUP);
    pthread_mutex_init(&ending->work.lock, NULL);
    ending->work.idle_ns = clock_now_ns() - ANSWER_NS; /* the deadline alone counts before work */
    atomic_store(&ending->deadline_ns, first_deadline(request));
    ending->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (ending->cancel_fd < 0)
        return err_set_errno(err, errno, "eventfd");
    r = pthread_sigmask(SIG_BLOCK, &ending->set, NULL);
    if (!r)
        r = pthread_create(&ending->thread, NULL, end_in_time, ending);
    return r ? err_set_errno(err, r, "cannot start the signal thread") : 0;
}

static void stop_ending(struct ending *ending)
{
    atomic_store(&ending->over, true);
    /* NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread,cert-pos44-c): blocked, and waited for */
    pthread_kill(ending->thread, SIGTERM);
    pthread_join(ending->thread, NULL);
    pthread_mutex_destroy(&ending->work.lock);
    close(ending->cancel_fd);
}

static int usage_error(const struct casb_error *err)
{
    fprintf(stderr, "cas-backup: %s\nTry 'cas-backup --help'.\n", err->text);
    return EXIT_USAGE;
}

static int print_help(const struct cli *cli)
{
    _cleanup_(freep) char *help = cli_help(cli->named ? cli->command : NULL);

    if (!help)
        return EXIT_PASS_FAILED;
    fputs(help, stdout);
    return EXIT_DONE;
}

static void warn_of_variable(const char *name, const char *near, void *arg)
{
    (void)arg;
    if (near)
        log_warn("the environment variable %s is not known and not used; is %s meant?", name, near);
    else
        log_warn("the environment variable %s is not known and not used", name);
}

static int with_settings(const struct cli *cli, struct ending *ending)
{
    _cleanup_(settings_freep) struct settings *settings = NULL;
    struct casb_error err = {0};
    struct cmd_context context = {
        .work = &ending->work, .cancel_fd = ending->cancel_fd, .signal = &ending->number};

    if (settings_load(&cli->request, environ, &settings, &err)) {
        log_error("%s", err.text);
        return err.code == CASB_ENOMEM ? EXIT_PASS_FAILED : EXIT_USAGE;
    }
    if (cli->command == cmd_table && options_env(environ, "CONTROLLER_LOOP_INTERVAL_SECONDS"))
        log_info("CONTROLLER_LOOP_INTERVAL_SECONDS is not used: one run is one pass, and the "
                 "schedule of the CronJob or timer says when the next one is");
    variables_check(environ, warn_of_variable, NULL);
    atomic_store(&ending->deadline_ns, clock_now_ns() + settings->deadline_ns);
    context.settings = settings;
    return cli->command->run(&context);
}

/* What could not be printed makes a failure of a success. */
static int flush_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    clearerr(stdout);
    log_error("cannot write to standard output: what was printed is not complete");
    return status ? status : EXIT_PASS_FAILED;
}

static int run_command(const struct cli *cli)
{
    struct ending ending = {.number = 0};
    struct casb_error err = {0};
    int status, number;

    if (start_ending(&ending, &cli->request, &err))
        return cmd_fail(&err);
    status = flush_output(with_settings(cli, &ending));
    stop_ending(&ending);
    number = atomic_load(&ending.number);
    return number ? 128 + number : status;
}

static int with_cli(const struct cli *cli)
{
    terminal_init((enum terminal_colors)cli->request.color);
    log_init(cli->request.verbosity > 0   ? CASB_DEBUG
             : cli->request.verbosity < 0 ? CASB_WARN
                                          : CASB_INFO,
             cli->request.log_json);
    log_start();
    if (cli->help)
        return print_help(cli);
    if (cli->version) {
        printf("cas-backup %s (plugin ABI %d)\n", PACKAGE_VERSION, CASB_ABI);
        return EXIT_DONE;
    }
    return run_command(cli);
}

int main(int argc, char **argv)
{
    struct casb_error err = {0};
    struct cli cli;
    int status;

    if (open_standard_streams(&err) || limit_process(&err) || wipe_what_is_freed(&err))
        return cmd_fail(&err);
    if (cli_parse(argc, argv, &cli, &err))
        return usage_error(&err);
    status = flush_output(with_cli(&cli));
    cli_free(&cli);
    log_stop();
    return status;
}
