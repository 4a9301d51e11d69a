/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/clock.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The tests are linked with --wrap=syscall. */
static bool without_pidfd;

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

/* pidfd_open() is the only one that is called by number. */
long __wrap_syscall(long number, ...)
{
    va_list ap;
    pid_t pid;

    va_start(ap, number);
    pid = va_arg(ap, pid_t);
    va_end(ap);
    if (!without_pidfd)
        return __real_syscall(number, pid, 0);
    errno = ENOSYS;
    return -1;
}

static const char *const env[] = {"PATH=/usr/bin:/bin", "GREETING=hello", NULL};

static int shell(const char *script, const char *input, int64_t timeout_ns,
                 struct process_result *result, struct casb_error *err)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    struct casb_call call = {.deadline_ns = clock_now_ns() + timeout_ns, .cancel_fd = -1};

    memset(err, 0, sizeof *err);
    return process_run(&call, &(struct process_spec){.argv = argv, .env = env, .input = input},
                       result, err);
}

static void assert_no_child_is_left(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void output_status_and_environment_are_the_childs(void **state)
{
    struct process_result result;
    struct casb_error err;

    (void)state;
    assert_int_equal(shell("echo \"$GREETING\"; echo no >&2; echo ${HOME-unset}; exit 7", NULL,
                           60 * CLOCK_S, &result, &err),
                     0);
    assert_int_equal(result.status, 7);
    assert_int_equal(result.signal, 0);
    assert_string_equal(buf_text(&result.out), "hello\nunset\n");
    assert_string_equal(buf_text(&result.err), "no\n");
    assert_false(result.truncated);
    process_result_free(&result);
    assert_no_child_is_left();
}

static void input_is_fed_or_ignored(void **state)
{
    struct process_result result;
    struct casb_error err;
    char *large = malloc(1000001);

    (void)state;
    memset(large, 'x', 1000000);
    large[1000000] = '\0';
    assert_int_equal(shell("wc -c", large, 60 * CLOCK_S, &result, &err), 0);
    assert_int_equal(atol(buf_text(&result.out)), 1000000);
    process_result_free(&result);
    assert_int_equal(shell("exec 0<&-; sleep 0.1; echo done", large, 60 * CLOCK_S, &result, &err),
                     0);
    assert_string_equal(buf_text(&result.out), "done\n");
    process_result_free(&result);
    assert_int_equal(shell("wc -c", NULL, 60 * CLOCK_S, &result, &err), 0);
    assert_int_equal(atol(buf_text(&result.out)), 0);
    process_result_free(&result);
    free(large);
}

static void only_the_standard_descriptors_are_open(void **state)
{
    struct process_result result;
    struct casb_error err;
    int fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, on purpose */

    (void)state;
    assert_int_equal(shell("exec ls /proc/self/fd", NULL, 60 * CLOCK_S, &result, &err), 0);
    assert_null(strstr(buf_text(&result.out), "4"));
    process_result_free(&result);
    close(fd);
}

static void the_standard_streams_can_be_opened_by_name(void **state)
{
    _cleanup_(process_result_free) struct process_result result;
    struct casb_error err;

    (void)state;
    assert_int_equal(shell("cat /dev/stdin >/dev/stdout; echo no >/dev/stderr", "in", 60 * CLOCK_S,
                           &result, &err),
                     0);
    assert_string_equal(buf_text(&result.out), "in");
    assert_string_equal(buf_text(&result.err), "no\n");
}

static void note_line(const char *line, void *arg)
{
    assert_int_equal(buf_printf(arg, "%s|", line), 0);
}

static void lines_of_standard_error_are_told(void **state)
{
    _cleanup_(process_result_free) struct process_result result = {0};
    _cleanup_(buf_free) struct buf lines = BUF_INIT(10000);
    const char *const argv[] = {
        "sh", "-c", "echo out; echo one >&2; echo >&2; printf '%03000d\nlast' 0 >&2", NULL};
    struct casb_call call = {.deadline_ns = clock_now_ns() + 60 * CLOCK_S, .cancel_fd = -1};
    const struct process_spec spec = {
        .argv = argv, .env = env, .told = note_line, .told_arg = &lines};

    (void)state;
    assert_int_equal(process_run(&call, &spec, &result, NULL), 0);
    assert_string_equal(buf_text(&result.out), "out\n");
    assert_string_equal(buf_text(&result.err), "");
    assert_memory_equal(buf_text(&lines), "one||0000", 9);
    assert_string_equal(lines.data + lines.len - 7, "0|last|");
    assert_int_equal(lines.len, 5 + 1024 + 1 + 5);
    assert_false(result.truncated);
}

static void signals_start_fresh(void **state)
{
    _cleanup_(process_result_free) struct process_result result;
    struct casb_error err;
    sigset_t block, old;
    unsigned long long blocked, ignored;

    (void)state;
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &block, &old), 0);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(
        shell("exec grep -E 'Sig(Blk|Ign)' /proc/self/status", NULL, 60 * CLOCK_S, &result, &err),
        0);
    signal(SIGPIPE, SIG_DFL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    assert_int_equal(sscanf(buf_text(&result.out), "SigBlk: %llx SigIgn: %llx", &blocked, &ignored),
                     2);
    assert_int_equal(blocked, 0);
    assert_int_equal(ignored & 0x7fffffff, 0); /* above are those that the C library keeps */
}

static void the_session_has_no_terminal(void **state)
{
    _cleanup_(process_result_free) struct process_result result;
    struct casb_error err;
    int group, session, terminal;

    (void)state;
    assert_int_equal(
        shell("echo $$; exec cut -d ' ' -f 5-7 /proc/self/stat", NULL, 60 * CLOCK_S, &result, &err),
        0);
    assert_int_equal(sscanf(buf_text(&result.out), "%*d %d %d %d", &group, &session, &terminal), 3);
    assert_int_equal(group, atol(buf_text(&result.out)));
    assert_int_equal(session, group);
    assert_int_equal(terminal, 0);
}

static void a_signal_is_told_apart_from_a_status(void **state)
{
    struct process_result result;
    struct casb_error err;

    (void)state;
    assert_int_equal(shell("kill -SEGV $$", NULL, 60 * CLOCK_S, &result, &err), 0);
    assert_int_equal(result.status, -1);
    assert_int_equal(result.signal, SIGSEGV);
    process_result_free(&result);
}

static void long_output_is_cut_and_a_flood_is_ended(void **state)
{
    struct process_result result;
    struct casb_error err;

    (void)state;
    assert_int_equal(shell("head -c 200000 /dev/zero", NULL, 60 * CLOCK_S, &result, &err), 0);
    assert_int_equal(result.out.len, PROCESS_OUTPUT_BYTES);
    assert_true(result.truncated);
    process_result_free(&result);
    assert_int_equal(shell("yes", NULL, 60 * CLOCK_S, &result, &err), CASB_EFAILED);
    assert_non_null(strstr(err.text, "without end"));
    process_result_free(&result);
    assert_no_child_is_left();
}

static void more_output_is_kept_where_asked_for(void **state)
{
    _cleanup_(process_result_free) struct process_result result = {0};
    const char *const argv[] = {"head", "-c", "200000", "/dev/zero", NULL};
    struct casb_call call = {.deadline_ns = clock_now_ns() + 60 * CLOCK_S, .cancel_fd = -1};
    const struct process_spec spec = {.argv = argv, .env = env, .output_bytes = 200000};

    (void)state;
    assert_int_equal(process_run(&call, &spec, &result, NULL), 0);
    assert_int_equal(result.out.len, 200000);
    assert_false(result.truncated);
}

/* Gone, or a zombie that its new parent has not reaped yet. */
static bool has_ended(pid_t pid)
{
    char path[64], state = 'Z';
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    f = fopen(path, "r");
    if (f && fscanf(f, "%*d %*s %c", &state) != 1)
        state = '?';
    if (f)
        fclose(f);
    return state == 'Z';
}

/* An orphan's new parent is told by the kernel, so its end is only seen from outside. */
static void await_end(pid_t pid)
{
    int64_t deadline_ns = clock_now_ns() + 60 * CLOCK_S;

    while (!has_ended(pid) && clock_now_ns() < deadline_ns)
        sched_yield();
    assert_true(has_ended(pid));
}

/* Cancels a call as soon as the child opens a FIFO. */
struct canceller {
    char dir[32], fifo[64];
    int cancel_fd;
    pthread_t thread;
};

static void *cancel_when_opened(void *arg)
{
    struct canceller *canceller = arg;

    close(open(canceller->fifo, O_RDONLY | O_CLOEXEC));
    eventfd_write(canceller->cancel_fd, 1);
    return NULL;
}

/* Runs a script whose $FIFO cancels it. */
static int shell_cancelled(const char *script, struct process_result *result,
                           struct casb_error *err)
{
    struct canceller canceller = {.dir = "/tmp/test_process.XXXXXX",
                                  .cancel_fd = eventfd(0, EFD_CLOEXEC)};
    struct casb_call call = {.deadline_ns = clock_now_ns() + 60 * CLOCK_S,
                             .cancel_fd = canceller.cancel_fd};
    char variable[80];
    const char *const argv[] = {"sh", "-c", script, NULL};
    const char *const with_fifo[] = {env[0], variable, NULL};
    int r;

    assert_non_null(mkdtemp(canceller.dir));
    snprintf(canceller.fifo, sizeof canceller.fifo, "%s/fifo", canceller.dir);
    snprintf(variable, sizeof variable, "FIFO=%s", canceller.fifo);
    assert_int_equal(mkfifo(canceller.fifo, 0600), 0);
    assert_int_equal(pthread_create(&canceller.thread, NULL, cancel_when_opened, &canceller), 0);
    memset(err, 0, sizeof *err);
    r = process_run(&call, &(struct process_spec){.argv = argv, .env = with_fifo}, result, err);
    assert_true(clock_now_ns() < call.deadline_ns);
    pthread_join(canceller.thread, NULL);
    close(canceller.cancel_fd);
    unlink(canceller.fifo);
    rmdir(canceller.dir);
    return r;
}

static void cancelling_ends_the_group(void **state)
{
    _cleanup_(process_result_free) struct process_result result;
    struct casb_error err;

    (void)state;
    assert_int_equal(shell_cancelled("sleep 1000 & echo $!; : >$FIFO; wait", &result, &err),
                     CASB_ECANCELLED);
    assert_string_equal(err.text, "'sh' was cancelled");
    assert_true(has_ended((pid_t)atol(buf_text(&result.out))));
    assert_no_child_is_left();
}

static void grandchildren_have_time_to_clean_up(void **state)
{
    _cleanup_(process_result_free) struct process_result result;
    struct casb_error err;

    (void)state;
    assert_int_equal(shell_cancelled("(trap 'sleep 0.1; echo cleaned; exit' TERM; : >$FIFO;"
                                     " while :; do sleep 0.01; done) & wait",
                                     &result, &err),
                     CASB_ECANCELLED);
    assert_int_equal(result.signal, SIGTERM);
    assert_string_equal(buf_text(&result.out), "cleaned\n");
}

static void one_that_ignores_sigterm_is_killed(void **state)
{
    _cleanup_(process_result_free) struct process_result result;
    struct casb_error err;

    (void)state;
    assert_int_equal(
        shell_cancelled("trap '' TERM; : >$FIFO; while :; do sleep 0.1; done", &result, &err),
        CASB_ECANCELLED);
    assert_int_equal(result.signal, SIGKILL);
    assert_no_child_is_left();
}

static void a_stopped_child_can_still_be_ended(void **state)
{
    _cleanup_(process_result_free) struct process_result result;
    struct casb_error err;

    (void)state;
    assert_int_equal(shell("kill -STOP $$", NULL, 100 * CLOCK_MS, &result, &err), CASB_ETIMEOUT);
    assert_string_equal(err.text, "'sh' did not end in time");
    assert_int_equal(result.signal, SIGTERM);
}

static void an_end_is_seen_without_pidfds(void **state)
{
    static const char *const scripts[] = {"exit 3", "exec >&- 2>&-; exit 3", "sleep 1000 & exit 3"};

    (void)state;
    without_pidfd = true;
    for (size_t i = 0; i < ELEMENTS(scripts); i++) {
        struct process_result result;
        struct casb_error err;

        assert_int_equal(shell(scripts[i], NULL, 60 * CLOCK_S, &result, &err), 0);
        assert_int_equal(result.status, 3);
        process_result_free(&result);
    }
    without_pidfd = false;
    assert_no_child_is_left();
}

static void a_call_that_is_over_starts_nothing(void **state)
{
    _cleanup_(process_result_free) struct process_result result;
    struct casb_error err;

    (void)state;
    assert_int_equal(shell("echo started", NULL, 0, &result, &err), CASB_ETIMEOUT);
    assert_int_equal(result.status, -1);
    assert_string_equal(buf_text(&result.out), "");
}

static void what_holds_our_pipes_does_not_hold_us_up(void **state)
{
    static const struct {
        const char *script;
        bool killed;
    } table[] = {
        {"sleep 1000 & echo $!", true},
        {"setsid sleep 1000 & echo $!", false}, /* in a group of its own */
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        struct process_result result;
        struct casb_error err;
        pid_t pid;

        assert_int_equal(shell(table[i].script, NULL, 60 * CLOCK_S, &result, &err), 0);
        assert_int_equal(result.status, 0);
        pid = (pid_t)atol(buf_text(&result.out));
        assert_true(pid > 0);
        if (table[i].killed)
            await_end(pid);
        else
            assert_int_equal(kill(pid, SIGKILL), 0);
        process_result_free(&result);
    }
}

static void what_is_left_behind_without_our_pipes_goes_on(void **state)
{
    _cleanup_(process_result_free) struct process_result result;
    struct casb_error err;
    pid_t pid;

    (void)state;
    assert_int_equal(
        shell("sleep 1000 >/dev/null 2>&1 & echo $!", NULL, 60 * CLOCK_S, &result, &err), 0);
    pid = (pid_t)atol(buf_text(&result.out));
    assert_false(has_ended(pid));
    assert_int_equal(kill(pid, SIGKILL), 0);
}

static void *run_some(void *arg)
{
    int *failures = arg;

    for (int i = 0; i < 20; i++) {
        struct process_result result;
        struct casb_error err;
        char input[32];

        snprintf(input, sizeof input, "%p %d", arg, i);
        *failures += shell("cat; cat /dev/null >&2", input, 60 * CLOCK_S, &result, &err) != 0 ||
                     strcmp(buf_text(&result.out), input) != 0;
        process_result_free(&result);
    }
    return NULL;
}

static void many_threads_may_run_children(void **state)
{
    pthread_t threads[8];
    int failures[ELEMENTS(threads)] = {0};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_some, &failures[i]), 0);
    for (size_t i = 0; i < ELEMENTS(threads); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(failures[i], 0);
    }
    assert_no_child_is_left();
}

/* Programs that cannot be started, and what must be said. */
static void what_cannot_be_started_says_why(void **state)
{
    char dir[] = "/tmp/test_process.XXXXXX", script[64], plain[64];
    const struct {
        const char *program;
        int code;
        const char *word;
    } table[] = {
        {"no-such-program", CASB_ENOTFOUND, "is not found"},
        {"/nonexistent/program", CASB_ENOTFOUND, "is not found"},
        {script, CASB_ENOTFOUND, "interpreter or loader is missing"},
        {plain, CASB_EDENIED, "may not be executed"},
        {dir, CASB_EDENIED, "may not be executed"},
    };
    FILE *f;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(script, sizeof script, "%s/script", dir);
    snprintf(plain, sizeof plain, "%s/plain", dir);
    f = fopen(script, "w");
    fputs("#!/nonexistent/interpreter\n", f);
    fclose(f);
    assert_int_equal(chmod(script, 0700), 0);
    fclose(fopen(plain, "w"));
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const char *const argv[] = {table[i].program, NULL};
        struct casb_call call = {.deadline_ns = clock_now_ns() + 60 * CLOCK_S, .cancel_fd = -1};
        struct process_result result;
        struct casb_error err = {0};

        assert_int_equal(
            process_run(&call, &(struct process_spec){.argv = argv, .env = env}, &result, &err),
            table[i].code);
        assert_non_null(strstr(err.text, table[i].word));
        process_result_free(&result);
    }
    unlink(script);
    unlink(plain);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_status_and_environment_are_the_childs),
        cmocka_unit_test(input_is_fed_or_ignored),
        cmocka_unit_test(only_the_standard_descriptors_are_open),
        cmocka_unit_test(the_standard_streams_can_be_opened_by_name),
        cmocka_unit_test(lines_of_standard_error_are_told),
        cmocka_unit_test(signals_start_fresh),
        cmocka_unit_test(the_session_has_no_terminal),
        cmocka_unit_test(a_signal_is_told_apart_from_a_status),
        cmocka_unit_test(long_output_is_cut_and_a_flood_is_ended),
        cmocka_unit_test(more_output_is_kept_where_asked_for),
        cmocka_unit_test(cancelling_ends_the_group),
        cmocka_unit_test(grandchildren_have_time_to_clean_up),
        cmocka_unit_test(one_that_ignores_sigterm_is_killed),
        cmocka_unit_test(a_stopped_child_can_still_be_ended),
        cmocka_unit_test(an_end_is_seen_without_pidfds),
        cmocka_unit_test(a_call_that_is_over_starts_nothing),
        cmocka_unit_test(what_holds_our_pipes_does_not_hold_us_up),
        cmocka_unit_test(what_is_left_behind_without_our_pipes_goes_on),
        cmocka_unit_test(many_threads_may_run_children),
        cmocka_unit_test(what_cannot_be_started_says_why),
    };
    /* valgrind cannot go on from an exec that fails: the last one is not for it */
    size_t count = ELEMENTS(tests) - (getenv("UNDER_VALGRIND") ? 1 : 0);

    return _cmocka_run_group_tests("tests", tests, count, NULL, NULL);
}
