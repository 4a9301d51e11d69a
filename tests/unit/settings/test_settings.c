/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cases are folders in data/settings: input.yaml (optional), args and env (one word or
 * NAME=VALUE a line, optional), and either want.json, a part of what the settings are, or error,
 * the text of the failure.
 */
#include "unit/unit.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "command/cli.h"
#include "command/commands.h"
#include "settings/settings.h"

#include <dirent.h>

#define MAX_LINES 16
#define MAX_CASES 128

/* Stands in for the commands; none of them runs here. */
const struct command cmd_table[] = {{"run", NULL, "one pass", NULL}, {0}};

/* The lines of a file of the case, after `first`; none where it does not exist. */
struct lines {
    struct buf text;
    char *list[MAX_LINES + 2];
    int n;
};

static void read_lines(const char *path, char *first, struct lines *ret)
{
    char *rest, *line;

    *ret = (struct lines){.text = BUF_INIT(4096)};
    if (first)
        ret->list[ret->n++] = first;
    if (file_read(path, &ret->text, NULL))
        return;
    rest = ret->text.data;
    while (rest && (line = strsep(&rest, "\n")) && ret->n <= MAX_LINES)
        if (*line)
            ret->list[ret->n++] = line;
}

static json_t *seconds(int64_t ns)
{
    return json_integer(ns / CLOCK_S);
}

static json_t *sources_json(const struct settings *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_sources; i++) {
        const struct plugin_ref *source = &s->sources[i];

        json_array_append_new(list, json_pack("{ss, ss, ss, sO?}", "plugin", source->plugin, "name",
                                              source->source, "path", source->path, "hosts",
                                              json_object_get(source->tree, "hosts")));
    }
    return list;
}

static json_t *metrics_json(const struct metrics_settings *m)
{
    return json_pack("{ss?, ss?, ss, sb, ss?, ss?}", "file", m->file, "push_url", m->push_url,
                     "push_job", m->push_job, "per_node", m->per_node, "cr_name", m->cr_name,
                     "cr_namespace", m->cr_namespace);
}

static json_t *settings_json(const struct settings *s)
{
    return json_pack(
        "{ss?, ss?, sI, so, sI, sb, so, so, so, sO?, so, so, sI, so, ss, ss, so, so}", "cas",
        s->cas, "instance", s->instance, "parallel", (json_int_t)s->parallel, "deadline",
        seconds(s->deadline_ns), "min_registered", (json_int_t)s->min_registered,
        "include_control_plane", s->include_control_plane, "max_age", seconds(s->max_age_ns),
        "absent_after", seconds(s->absent_after_ns), "overdue_after", seconds(s->overdue_after_ns),
        "fail_on", s->fail_on, "lock_wait", seconds(s->lock_wait_ns), "retry_backoff",
        seconds(s->retry_backoff_ns), "registration_parallel", (json_int_t)s->registration_parallel,
        "registration_timeout", seconds(s->registration_timeout_ns), "registration",
        s->registration.plugin, "state", s->state.plugin, "sources", sources_json(s), "metrics",
        metrics_json(&s->metrics));
}

static void check_want(const struct settings *s)
{
    json_auto_t *got = settings_json(s), *want = json_load_file("want.json", 0, NULL);
    const char *key;
    json_t *value;

    assert_non_null(got);
    assert_true(json_object_size(want) > 0);
    json_object_foreach (want, key, value)
        if (!json_equal(value, json_object_get(got, key))) {
            _cleanup_(freep) char *text =
                json_dumps(json_object_get(got, key), JSON_ENCODE_ANY | JSON_COMPACT);

            fail_msg("%s is %s", key, text);
        }
}

static void check_error(const struct casb_error *err)
{
    _cleanup_(buf_free) struct buf want = BUF_INIT(4096);

    assert_int_equal(file_read("error", &want, NULL), 0);
    want.data[strcspn(want.data, "\n")] = '\0';
    assert_string_equal(err->text, want.data);
}

static void run_case(void **state)
{
    _cleanup_(settings_freep) struct settings *s = NULL;
    char file_option[] = "--file=input.yaml", program[] = "cas-backup";
    struct casb_error err = {0};
    char path[512], name[256];
    struct lines args, env;
    struct cli cli;

    snprintf(name, sizeof name, "settings/%s", (const char *)*state);
    assert_int_equal(chdir(unit_data(path, sizeof path, name)), 0);
    read_lines("args", program, &args);
    if (access("input.yaml", F_OK) == 0)
        args.list[args.n++] = file_option;
    read_lines("env", NULL, &env);
    assert_int_equal(cli_parse(args.n, args.list, &cli, &err), 0);
    if (settings_load(&cli.request, env.list, &s, &err))
        check_error(&err);
    else
        check_want(s);
    settings_free(TAKE_PTR(s));
    cli_free(&cli);
    buf_free(&args.text);
    buf_free(&env.text);
}

/* Jansson's memory, which runs out after so many allocations. */
static size_t allocations_left;

static void *failing_malloc(size_t size)
{
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    return malloc(size);
}

static void memory_that_runs_out_anywhere_is_an_error(void **state)
{
    char *argv[] = {(char *)"cas-backup", (char *)"--host=c=192.0.2.7", (char *)"--file=input.yaml",
                    NULL};
    char *env[] = {(char *)"SCONE_CAS_ADDR=mycas", NULL};
    char path[512];
    struct cli cli;
    int r = CASB_ENOMEM;

    (void)state;
    assert_int_equal(chdir(unit_data(path, sizeof path, "settings/everything-from-the-file")), 0);
    assert_int_equal(cli_parse(3, argv, &cli, NULL), 0);
    for (size_t n = 0; r && n < 10000; n++) {
        _cleanup_(settings_freep) struct settings *s = NULL;
        struct casb_error err = {0};

        allocations_left = n;
        json_set_alloc_funcs(failing_malloc, free);
        r = settings_load(&cli.request, env, &s, &err);
        settings_free(TAKE_PTR(s));
        json_set_alloc_funcs(malloc, free);
        assert_int_equal(err.code, r);
        if (r && r != CASB_ENOMEM)
            fail_msg("after %zu allocations: %s", n, err.text);
    }
    assert_int_equal(r, 0);
    cli_free(&cli);
}

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(void)
{
    struct CMUnitTest tests[MAX_CASES + 1] = {{0}};
    struct dirent **cases;
    char path[512];
    int n = scandir(unit_data(path, sizeof path, "settings"), &cases, is_case, alphasort);
    int failed;

    if (n <= 0 || n > MAX_CASES)
        return EXIT_FAILURE;
    for (int i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){
            .name = cases[i]->d_name, .test_func = run_case, .initial_state = cases[i]->d_name};
    tests[n] = (struct CMUnitTest)cmocka_unit_test(memory_that_runs_out_anywhere_is_an_error);
    failed = _cmocka_run_group_tests("settings", tests, (size_t)n + 1, NULL, NULL);
    for (int i = 0; i < n; i++)
        free(cases[i]);
    free(cases);
    return failed;
}
