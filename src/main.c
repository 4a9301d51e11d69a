/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/error.h"
#include "base/jsonx.h"
#include "cli.h"
#include "cmd.h"
#include "log.h"
#include "options.h"

#include <cas-backup/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

extern char **environ;

/* What the signal thread shares with the commands. */
struct signals {
    sigset_t set;
    atomic_int number; /* of the first one */
    atomic_bool over;  /* the command ended: the next signal only wakes the thread */
    int cancel_fd;
    pthread_t thread;
};

/* The owner's key passes through this process: nothing of it may be left behind. */
static int limit_process(struct casb_error *err)
{
    const struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        return err_set_errno(err, errno, "cannot switch off core dumps");
    umask(077);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* ignored, as by some parents: no child would leave its status */
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

/*
 * The first signal asks for the end, a later one is the end. One request may come as two signals:
 * timeout(1) sends one to the process and one to its group.
 */
static void *take_signals(void *arg)
{
    struct signals *signals = arg;
    int64_t again_ns;
    int number;

    sigwait(&signals->set, &number);
    again_ns = clock_now_ns() + CLOCK_S;
    if (atomic_load(&signals->over))
        return NULL;
    atomic_store(&signals->number, number);
    eventfd_write(signals->cancel_fd, 1);
    log_info("SIG%s: cleaning up; another signal, after a second, ends it at once",
             sigabbrev_np(number));
    do {
        sigwait(&signals->set, &number);
    } while (!atomic_load(&signals->over) && clock_now_ns() < again_ns);
    if (!atomic_load(&signals->over))
        _exit(128 + number);
    return NULL;
}

/* sigwait() would take what is ignored, too. */
static bool is_ignored(int number)
{
    struct sigaction now;

    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

/* Blocks the signals in this thread and all that it starts, but for the one that takes them. */
static int start_signals(struct signals *signals, struct casb_error *err)
{
    int r;

    sigemptyset(&signals->set);
    sigaddset(&signals->set, SIGTERM);
    sigaddset(&signals->set, SIGINT);
    if (!is_ignored(SIGHUP)) /* nohup(1) */
        sigaddset(&signals->set, SIGHUP);
    signals->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (signals->cancel_fd < 0)
        return err_set_errno(err, errno, "eventfd");
    r = pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
    if (!r)
        r = pthread_create(&signals->thread, NULL, take_signals, signals);
    return r ? err_set_errno(err, r, "cannot start the signal thread") : 0;
}

static void stop_signals(struct signals *signals)
{
    atomic_store(&signals->over, true);
    pthread_kill(signals->thread, SIGTERM);
    pthread_join(signals->thread, NULL);
    close(signals->cancel_fd);
}

static int run_command(const struct settings *settings)
{
    struct signals signals = {.number = 0};
    struct cmd_context context = {.settings = settings, .signal = &signals.number};
    struct casb_error err = {0};
    int status, number;

    if (start_signals(&signals, &err))
        return cmd_fail(&err);
    context.cancel_fd = signals.cancel_fd;
    status = settings->cli->command->run(&context);
    stop_signals(&signals);
    number = atomic_load(&signals.number);
    return number ? 128 + number : status;
}

static int usage_error(const struct casb_error *err)
{
    fprintf(stderr, "cas-backup: %s\nTry 'cas-backup --help'.\n", err->text);
    return EXIT_USAGE;
}

static int print_help(const struct cli *cli)
{
    _cleanup_(freep) char *help = cli_help(cli->command == cmd_table ? NULL : cli->command);

    if (!help)
        return EXIT_PASS_FAILED;
    fputs(help, stdout);
    return EXIT_DONE;
}

static int with_settings(const struct cli *cli)
{
    _cleanup_(settings_freep) struct settings *settings = NULL;
    struct casb_error err = {0};

    if (settings_load(cli, environ, &settings, &err)) {
        log_error("%s", err.text);
        return err.code == CASB_ENOMEM ? EXIT_PASS_FAILED : EXIT_USAGE;
    }
    if (cli->command == cmd_table && options_env(environ, "CONTROLLER_LOOP_INTERVAL_SECONDS"))
        log_info("CONTROLLER_LOOP_INTERVAL_SECONDS is not used: one run is one pass, and the "
                 "schedule of the CronJob or timer says when the next one is");
    return run_command(settings);
}

static int with_cli(const struct cli *cli)
{
    log_init(cli->verbosity > 0   ? CASB_DEBUG
             : cli->verbosity < 0 ? CASB_WARN
                                  : CASB_INFO,
             cli->log_json);
    if (cli->help)
        return print_help(cli);
    if (cli->version) {
        printf("cas-backup %s (plugin ABI %d)\n", PACKAGE_VERSION, CASB_ABI);
        return EXIT_DONE;
    }
    return with_settings(cli);
}

int main(int argc, char **argv)
{
    struct casb_error err = {0};
    struct cli cli;
    int status;

    jsonx_wipe_freed();
    if (open_standard_streams(&err) || limit_process(&err))
        return cmd_fail(&err);
    if (cli_parse(argc, argv, &cli, &err))
        return usage_error(&err);
    status = with_cli(&cli);
    cli_free(&cli);
    if (fflush(stdout) || ferror(stdout)) {
        log_error("cannot write to standard output: what was printed is not complete");
        return status ? status : EXIT_PASS_FAILED;
    }
    return status;
}
