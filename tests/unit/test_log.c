/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/cleanup.h"
#include "log.h"

#include <jansson.h>
#include <pthread.h>

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

/* Notes what happens around a line in the very output. */
static void mark(bool before, void *arg)
{
    FILE *file = arg;

    fputs(before ? "<" : ">", file);
    fflush(file);
}

static void the_screen_is_told_before_and_after_each_line(void **state)
{
    struct capture *capture = *state;
    char out[OUTPUT_BYTES];

    log_init(CASB_INFO, false);
    log_set_screen(mark, capture->file);
    log_info("one");
    log_set_screen(NULL, NULL);
    log_info("two");
    captured(state, out);
    assert_int_equal(out[0], '<');
    assert_non_null(strstr(out, "one\n>"));
    assert_non_null(strstr(out, "two\n"));
    assert_int_equal(out[strlen(out) - 1], '\n');
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
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, (void *)texts[i]), 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    captured(state, out);
    for (char *line = out; *line; line += strcspn(line, "\n") + 1, lines++)
        assert_true(strncmp(after_time(line), "info  aaaaaaaaaa\n", 17) == 0 ||
                    strncmp(after_time(line), "info  bbbbbbbbbb\n", 17) == 0);
    assert_int_equal(lines, 100);
}

#define captured_test(f) cmocka_unit_test_setup_teardown(f, capture_begin, capture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        captured_test(text_lines_have_time_level_and_node),
        captured_test(lower_levels_are_left_out),
        captured_test(json_lines_have_all_fields),
        captured_test(text_from_outside_stays_one_clean_line),
        captured_test(long_texts_are_cut),
        captured_test(plugins_lines_name_the_plugin_or_the_node),
        captured_test(the_screen_is_told_before_and_after_each_line),
        captured_test(lines_of_threads_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
