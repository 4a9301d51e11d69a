/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/clock.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void a_hanging_group_is_ended(void **state)
{
    struct process_result result;
    struct casb_error err;
    int64_t begun = clock_now_ns();

    (void)state;
    assert_int_equal(shell("sleep 1000 & echo $!; wait", NULL, 300 * CLOCK_MS, &result, &err),
                     CASB_ETIMEOUT);
    assert_true(clock_now_ns() - begun < 10 * CLOCK_S);
    assert_true(has_ended((pid_t)atol(buf_text(&result.out))));
    process_result_free(&result);
    assert_no_child_is_left();
}

static void one_that_ignores_sigterm_is_killed(void **state)
{
    struct process_result result;
    struct casb_error err;

    (void)state;
    assert_int_equal(
        shell("trap '' TERM; while :; do sleep 0.1; done", NULL, 300 * CLOCK_MS, &result, &err),
        CASB_ETIMEOUT);
    assert_int_equal(result.signal, SIGKILL);
    process_result_free(&result);
}

static void a_grandchild_with_our_output_does_not_hold_us_up(void **state)
{
    struct process_result result;
    struct casb_error err;
    int64_t begun = clock_now_ns();

    (void)state;
    assert_int_equal(shell("sleep 1000 & echo ready", NULL, 60 * CLOCK_S, &result, &err), 0);
    assert_string_equal(buf_text(&result.out), "ready\n");
    assert_true(clock_now_ns() - begun < 30 * CLOCK_S);
    process_result_free(&result);
}

static void cancelling_ends_it(void **state)
{
    const char *const argv[] = {"sleep", "1000", NULL};
    struct casb_call call = {.deadline_ns = clock_now_ns() + 60 * CLOCK_S,
                             .cancel_fd = eventfd(1, EFD_CLOEXEC)};
    struct process_result result;
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(
        process_run(&call, &(struct process_spec){.argv = argv, .env = env}, &result, &err),
        CASB_ECANCELLED);
    assert_true(call.deadline_ns - clock_now_ns() > 30 * CLOCK_S);
    process_result_free(&result);
    close(call.cancel_fd);
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
        cmocka_unit_test(a_signal_is_told_apart_from_a_status),
        cmocka_unit_test(long_output_is_cut_and_a_flood_is_ended),
        cmocka_unit_test(a_hanging_group_is_ended),
        cmocka_unit_test(one_that_ignores_sigterm_is_killed),
        cmocka_unit_test(a_grandchild_with_our_output_does_not_hold_us_up),
        cmocka_unit_test(cancelling_ends_it),
        cmocka_unit_test(what_cannot_be_started_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
