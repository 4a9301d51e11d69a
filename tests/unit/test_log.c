/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "log.h"

#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_BYTES 16384

/* What standard error was, and the file that takes its place. */
struct capture {
    int saved;
    FILE *file;
};

static int capture_begin(void **state)
{
    struct capture *capture = malloc(sizeof *capture);

    if (!capture)
        return -1;
    fflush(stderr);
    capture->saved = dup(STDERR_FILENO);
    capture->file = tmpfile();
    dup2(fileno(capture->file), STDERR_FILENO);
    *state = capture;
    return 0;
}

static int capture_end(void **state)
{
    struct capture *capture = *state;

    dup2(capture->saved, STDERR_FILENO);
    close(capture->saved);
    fclose(capture->file);
    free(capture);
    return 0;
}

static const char *captured(void **state, char out[static OUTPUT_BYTES])
{
    struct capture *capture = *state;
    ssize_t n = pread(fileno(capture->file), out, OUTPUT_BYTES - 1, 0);

    assert_true(n >= 0);
    out[n] = '\0';
    return out;
}

/* Skips "2026-11-25T12:00:00.123Z " and checks its form. */
static const char *after_time(const char *line)
{
    const char *form = "dddd-dd-ddTdd:dd:dd.dddZ ";

    for (; *form; form++, line++)
        if (*form == 'd')
            assert_in_range(*line, '0', '9');
        else
            assert_int_equal(*line, *form);
    return line;
}

static void text_lines_have_time_level_and_node(void **state)
{
    char out[OUTPUT_BYTES];

    log_init(CASB_INFO, false);
    log_line(CASB_WARN, LOG_FIELDS({"source", "s"}, {"node", "b"}), "no %s", "answer");
    assert_string_equal(after_time(captured(state, out)), "warn  node 'b': no answer\n");
}

/* Sets JOURNAL_STREAM to "DEVICE:INODE" of standard error, with another separator, tail, inode. */
static void set_journal(const char *separator, const char *tail, unsigned off)
{
    char stream[64];
    struct stat st;

    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    snprintf(stream, sizeof stream, "%ju%s%ju%s", (uintmax_t)st.st_dev, separator,
             (uintmax_t)st.st_ino + off, tail);
    setenv("JOURNAL_STREAM", stream, 1);
}

static void in_the_journal_lines_begin_with_their_priority(void **state)
{
    static const char *const priorities[] = {"<7>", "<6>", "<4>", "<3>"};
    char out[OUTPUT_BYTES];
    const char *line = out;

    set_journal(":", "", 0);
    log_init(CASB_DEBUG, false);
    for (int level = CASB_DEBUG; level <= CASB_ERROR; level++)
        log_line((enum casb_level)level, NULL, "text");
    captured(state, out);
    for (size_t i = 0; i < ELEMENTS(priorities); i++) {
        assert_memory_equal(line, priorities[i], 3);
        (void)after_time(line + 3);
        line = strchr(line, '\n') + 1;
    }
    assert_string_equal(line, "");
    unsetenv("JOURNAL_STREAM");
}

static void elsewhere_they_do_not(void **state)
{
    static const struct {
        const char *separator, *tail;
        unsigned off;
        bool json;
    } rows[] = {{":", "", 1, false}, {"-", "", 0, false}, {":", "0", 0, false}, {":", "", 0, true}};
    char out[OUTPUT_BYTES];

    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        set_journal(rows[i].separator, rows[i].tail, rows[i].off);
        log_init(CASB_INFO, rows[i].json);
        log_info("text");
    }
    unsetenv("JOURNAL_STREAM");
    assert_null(strchr(captured(state, out), '<'));
}

static void lower_levels_are_left_out(void **state)
{
    char out[OUTPUT_BYTES];

    log_init(CASB_WARN, false);
    assert_false(log_enabled(CASB_INFO));
    assert_true(log_enabled(CASB_ERROR));
    log_info("not this");
    assert_string_equal(captured(state, out), "");
    log_error("but this");
    assert_string_equal(after_time(captured(state, out)), "error but this\n");
}

static void json_lines_have_all_fields(void **state)
{
    char out[OUTPUT_BYTES];
    json_auto_t *line = NULL;
    const char *time;
    json_auto_t *want = json_pack("{ss, ss, ss, ss}", "level", "info", "message", "done", "node",
                                  "a\"b", "seconds", "1.5");

    log_init(CASB_INFO, true);
    log_line(CASB_INFO, LOG_FIELDS({"node", "a\"b"}, {"reason", NULL}, {"seconds", "1.5"}), "done");
    line = json_loads(captured(state, out), 0, NULL);
    assert_non_null(line);
    time = json_string_value(json_object_get(line, "time"));
    assert_int_equal(strlen(time), strlen("2026-11-25T12:00:00.123Z"));
    json_object_del(line, "time");
    assert_true(json_equal(line, want));
}

static void text_from_outside_stays_one_clean_line(void **state)
{
    char out[OUTPUT_BYTES];

    log_init(CASB_INFO, false);
    log_line(CASB_INFO, LOG_FIELDS({"node", "n\n1"}), "a\nb\033[31mc");
    assert_null(strchr(captured(state, out), '\033'));
    assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
}

static void long_texts_are_cut(void **state)
{
    char text[5000], out[OUTPUT_BYTES];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_init(CASB_INFO, false);
    log_line(CASB_INFO, LOG_FIELDS({"node", text}), "%s", text);
    assert_in_range(strlen(captured(state, out)), 1000, 2000);
    assert_int_equal(out[strlen(out) - 1], '\n');
}

static void plugins_lines_name_the_plugin_or_the_node(void **state)
{
    const struct casb_host host = {.size = sizeof host, .source = "", .arg = (void *)"file"};
    char out[OUTPUT_BYTES];

    log_init(CASB_INFO, false);
    log_from_plugin(&host, CASB_WARN, NULL, "a record is damaged: left out");
    assert_string_equal(after_time(captured(state, out)),
                        "warn  file: a record is damaged: left out\n");
    log_from_plugin(&host, CASB_WARN, "b", "no key");
    assert_non_null(strstr(captured(state, out), "warn  node 'b': no key\n"));
}

static void what_is_shown_stays_below_the_lines(void **state)
{
    char out[OUTPUT_BYTES];

    log_init(CASB_INFO, false);
    log_show("[##..]");
    log_info("one");
    log_show("");
    log_info("two");
    captured(state, out);
    assert_ptr_equal(strstr(out, "\r\033[K[##..]\r\033[K20"), out);
    assert_non_null(strstr(out, "info  one\n[##..]\r\033[K20"));
    assert_string_equal(strstr(out, "info  two"), "info  two\n");
}

static void *log_many(void *arg)
{
    for (int i = 0; i < 50; i++)
        log_info("%s", (const char *)arg);
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    static const char *const texts[] = {"aaaaaaaaaa", "bbbbbbbbbb"};
    char out[OUTPUT_BYTES];
    pthread_t threads[2];
    size_t lines = 0;

    log_init(CASB_INFO, false);
    log_start();
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, (void *)texts[i]), 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    log_stop();
    captured(state, out);
    for (char *line = out; *line; line += strcspn(line, "\n") + 1, lines++)
        assert_true(strncmp(after_time(line), "info  aaaaaaaaaa\n", 17) == 0 ||
                    strncmp(after_time(line), "info  bbbbbbbbbb\n", 17) == 0);
    assert_int_equal(lines, 100);
}

/* ---- a reader that does not read */

struct reader {
    int saved; /* what standard error was */
    int fd;    /* the other end of what it is now */
    size_t lines, lost;
    bool whole; /* each line is one that was logged */
};

/* Takes a reader's place, who does not read yet. */
static struct reader stall(void)
{
    struct reader reader = {.whole = true};
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    reader.saved = dup(STDERR_FILENO);
    reader.fd = ends[0];
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    return reader;
}

static void *read_all(void *arg)
{
    struct reader *reader = arg;
    FILE *file = fdopen(reader->fd, "r");
    char line[512];
    size_t lost;

    while (fgets(line, sizeof line, file)) {
        const char *text = strchr(line, ' ') + 1;

        if (sscanf(text, "warn  %zu lines of the log were lost", &lost) == 1)
            reader->lost += lost;
        else
            reader->lines++;
        reader->whole &= (strstr(text, " of the log ") || strstr(text, "info  abcdefghij")) &&
                         line[strlen(line) - 1] == '\n';
    }
    fclose(file);
    return NULL;
}

static double seconds_since(const struct timespec *begin)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begin->tv_sec) + (double)(now.tv_nsec - begin->tv_nsec) / 1e9;
}

static void a_reader_that_stalls_holds_nobody_up_and_hears_what_was_lost(void **state)
{
    enum { LINES = 20000 };
    struct reader reader = stall();
    struct timespec begin;
    double logged, flushed;
    pthread_t thread;

    (void)state;
    log_init(CASB_INFO, false);
    log_start();
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < LINES; i++)
        log_info("abcdefghijklmnopqrstuvwxyz %d", i);
    logged = seconds_since(&begin);
    log_flush();
    flushed = seconds_since(&begin) - logged;
    pthread_create(&thread, NULL, read_all, &reader);
    log_stop();
    dup2(reader.saved, STDERR_FILENO);
    close(reader.saved);
    pthread_join(thread, NULL);
    assert_true(logged < 20);
    assert_true(flushed > 0.9 && flushed < 9);
    assert_true(reader.whole);
    assert_in_range(reader.lines, 1000, LINES - 1000);
    assert_int_equal(reader.lines + reader.lost, LINES);
}

/* Each write is a message. */
static void lines_that_follow_soon_are_written_together(void **state)
{
    enum { LINES = 40, PAUSE_US = 5000 };
    int ends[2], saved = dup(STDERR_FILENO), lines = 0, writes = 0;
    char out[OUTPUT_BYTES];
    ssize_t n;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    fflush(stderr);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    log_init(CASB_INFO, false);
    log_start();
    for (int i = 0; i < LINES; i++) {
        log_info("line %d", i);
        usleep(PAUSE_US);
    }
    log_stop();
    dup2(saved, STDERR_FILENO);
    close(saved);
    for (; (n = recv(ends[0], out, sizeof out, 0)) > 0; writes++)
        for (ssize_t i = 0; i < n; i++)
            lines += out[i] == '\n';
    close(ends[0]);
    assert_int_equal(lines, LINES);
    assert_in_range(writes, 1, LINES / 2);
}

static void a_reader_that_keeps_up_loses_nothing(void **state)
{
    enum { LINES = 10000, BURST = 1250, PAUSE_US = 40000 };
    const struct capture *capture = *state;
    int lines = 0;

    log_init(CASB_INFO, false);
    log_start();
    for (int i = 0; i < LINES; i++) {
        log_info("abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz %d", i);
        if (i % BURST == BURST - 1)
            usleep(PAUSE_US);
    }
    log_stop();
    rewind(capture->file);
    for (int c; (c = fgetc(capture->file)) != EOF;)
        lines += c == '\n';
    assert_int_equal(lines, LINES);
}

static void nobody_waits_for_a_reader_that_never_comes(void **state)
{
    struct reader reader = stall();
    struct timespec begin;

    (void)state;
    log_init(CASB_INFO, true);
    log_start();
    for (int i = 0; i < 5000; i++)
        log_info("abcdefghijklmnopqrstuvwxyz %d", i);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    log_stop();
    assert_true(seconds_since(&begin) < 9);
    signal(SIGPIPE, SIG_IGN);
    close(reader.fd); /* what waits is dropped, and the thread ends */
    log_stop();
    dup2(reader.saved, STDERR_FILENO);
    close(reader.saved);
}

static void a_reader_that_is_gone_costs_nothing(void **state)
{
    struct reader reader = stall();

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    close(reader.fd);
    log_init(CASB_INFO, false);
    log_start();
    for (int i = 0; i < 5000; i++)
        log_info("abcdefghijklmnopqrstuvwxyz %d", i);
    log_stop();
    dup2(reader.saved, STDERR_FILENO);
    close(reader.saved);
}

#define captured_test(f) cmocka_unit_test_setup_teardown(f, capture_begin, capture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        captured_test(text_lines_have_time_level_and_node),
        captured_test(in_the_journal_lines_begin_with_their_priority),
        captured_test(elsewhere_they_do_not),
        captured_test(lower_levels_are_left_out),
        captured_test(json_lines_have_all_fields),
        captured_test(text_from_outside_stays_one_clean_line),
        captured_test(long_texts_are_cut),
        captured_test(plugins_lines_name_the_plugin_or_the_node),
        captured_test(what_is_shown_stays_below_the_lines),
        captured_test(lines_of_threads_do_not_mix),
        cmocka_unit_test(lines_that_follow_soon_are_written_together),
        captured_test(a_reader_that_keeps_up_loses_nothing),
        cmocka_unit_test(a_reader_that_stalls_holds_nobody_up_and_hears_what_was_lost),
        cmocka_unit_test(nobody_waits_for_a_reader_that_never_comes),
        cmocka_unit_test(a_reader_that_is_gone_costs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
