/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/file.h"
#include "unit/recording_host.h"
#include "state-file/state_file.h"

#include <dirent.h>
#include <glob.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

struct fixture {
    char *folder;
    char path[512];
    struct recording_host host;
    struct state_file_settings settings;
    void *self;
};

static const struct casb_state_ops *ops(void)
{
    return casb_plugin.ops;
}

static void *open_state(struct fixture *f, struct recording_host *host)
{
    void *self = NULL;

    assert_int_equal(casb_plugin.open(&host->host, &f->settings, &self, NULL), 0);
    return self;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    assert_int_equal(file_private_dir("test-state", 0, &f->folder, NULL), 0);
    snprintf(f->path, sizeof f->path, "%s/a/b/state.json", f->folder);
    f->settings.path = f->path;
    recording_host_init(&f->host, "host-1_77_abc");
    f->self = open_state(f, &f->host);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    casb_plugin.close(f->self);
    file_remove_tree(f->folder, NULL);
    free(f->folder);
    free(f);
    return 0;
}

static void lost(const char *why, void *arg)
{
    (void)arg;
    fail_msg("the lock was lost: %s", why);
}

static void lock(struct fixture *f)
{
    const struct casb_call call = call_for(10);

    assert_int_equal(ops()->lock(f->self, &call, lost, NULL, NULL), 0);
}

static int store(struct fixture *f, const char *uid, const char *name, struct casb_error *err)
{
    const struct casb_call call = call_for(10);
    const struct casb_record record = {.uid = uid, .name = name, .status = CASB_REGISTERED};

    return ops()->store(f->self, &call, &record, 1, err);
}

static int note(const struct casb_record *record, void *arg)
{
    struct buf *list = arg;

    assert_int_equal(record->status, CASB_REGISTERED);
    return buf_printf(list, "%s=%s;", record->uid, record->name);
}

/* "UID=NAME;" of every record. */
static void assert_records(struct fixture *f, const char *want)
{
    const struct casb_call call = call_for(10);
    _cleanup_(buf_free) struct buf list = BUF_INIT(4096);

    assert_int_equal(ops()->load(f->self, &call, note, &list, NULL), 0);
    assert_string_equal(buf_text(&list), want);
}

static int store_pass(struct fixture *f, const char *version)
{
    const struct casb_call call = call_for(10);
    const struct casb_pass pass = {.started = 1000, .version = version};

    return ops()->store_pass(f->self, &call, &pass, NULL);
}

static void note_pass(const struct casb_pass *pass, void *arg)
{
    assert_int_equal(buf_puts(arg, pass->version), 0);
}

/* What is remembered of the last pass; "": nothing. */
static void assert_pass(struct fixture *f, const char *want)
{
    const struct casb_call call = call_for(10);
    _cleanup_(buf_free) struct buf version = BUF_INIT(4096);

    assert_int_equal(ops()->load_pass(f->self, &call, note_pass, &version, NULL), 0);
    assert_string_equal(buf_text(&version), want);
}

static void write_file(const struct fixture *f, const char *text)
{
    assert_int_equal(place_make_folders(f->path, NULL), 0);
    assert_int_equal(file_write(f->path, text, strlen(text), 0600, NULL), 0);
}

/* How many files of the state's folder have this in their name. */
static int count_files(const struct fixture *f, const char *part)
{
    char folder[540];
    struct dirent *entry;
    DIR *dir;
    int n = 0;

    snprintf(folder, sizeof folder, "%s/a/b", f->folder);
    dir = opendir(folder);
    assert_non_null(dir);
    while ((entry = readdir(dir)))
        n += strstr(entry->d_name, part) != NULL;
    closedir(dir);
    return n;
}

static void no_file_is_no_records(void **state)
{
    assert_records(*state, "");
}

static void records_are_kept_replaced_and_dropped(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    const char *const uids[] = {"a", "unknown"};

    lock(f);
    assert_int_equal(store(f, "a", "one", NULL), 0);
    assert_int_equal(store(f, "b", "two", NULL), 0);
    assert_int_equal(store(f, "a", "three", NULL), 0);
    assert_records(f, "b=two;a=three;");
    assert_int_equal(ops()->drop(f->self, &call, uids, 2, NULL), 0);
    assert_records(f, "b=two;");
    assert_int_equal(ops()->unlock(f->self, &call, NULL), 0);
    assert_records(f, "b=two;");
}

static void the_file_is_its_owners_only(void **state)
{
    struct fixture *f = *state;
    struct stat st;

    lock(f);
    assert_int_equal(store(f, "a", "one", NULL), 0);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void nothing_is_written_without_the_lock(void **state)
{
    struct fixture *f = *state;
    struct casb_error err = {0};

    assert_int_equal(store(f, "a", "one", &err), CASB_EINVALID);
    assert_string_equal(err.text, "the lock is not held");
    assert_int_equal(access(f->path, F_OK), -1);
}

static void a_second_pass_is_told_who_holds_the_lock(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    struct casb_error err = {0};
    struct recording_host other;
    void *second;

    recording_host_init(&other, "host-2");
    second = open_state(f, &other);
    lock(f);
    assert_int_equal(ops()->lock(second, &call, lost, NULL, &err), CASB_ECONFLICT);
    assert_non_null(strstr(err.text, "another pass holds the lock"));
    assert_non_null(strstr(err.text, "host-1_77_abc, pid "));
    assert_int_equal(ops()->unlock(f->self, &call, NULL), 0);
    assert_int_equal(ops()->lock(second, &call, lost, NULL, NULL), 0);
    assert_int_equal(ops()->unlock(second, &call, NULL), 0);
    casb_plugin.close(second);
}

static void a_damaged_file_is_kept_aside_with_what_could_be_read(void **state)
{
    struct fixture *f = *state;

    write_file(f,
               "{\"version\":1,\"records\":{\n\"a\":{\"name\":\"one\",\"status\":\"registered\"},"
               "\n\"b\":{\"na");
    assert_records(f, "a=one;");
    assert_non_null(strstr(f->host.log, "is damaged, records from there on are ignored: line 3"));
    assert_int_equal(count_files(f, ".damaged-"), 0);
    lock(f);
    assert_int_equal(store(f, "c", "three", NULL), 0);
    assert_non_null(strstr(f->host.log, "was damaged (line 3"));
    assert_int_equal(count_files(f, ".damaged-"), 1);
    assert_records(f, "a=one;c=three;");
}

static void an_empty_file_is_a_damaged_one(void **state)
{
    struct fixture *f = *state;

    write_file(f, "");
    assert_records(f, "");
    assert_non_null(strstr(f->host.log, "is damaged"));
    lock(f);
    assert_int_equal(store(f, "a", "one", NULL), 0);
    assert_int_equal(count_files(f, ".damaged-"), 1);
    assert_records(f, "a=one;");
}

static void behind_a_link_the_damaged_file_itself_is_kept(void **state)
{
    static const char damaged[] = "{\"version\":1,";
    struct fixture *f = *state;
    _cleanup_(buf_free) struct buf pattern = BUF_INIT(4096), text = BUF_INIT(4096);
    char real[540];
    glob_t found;

    snprintf(real, sizeof real, "%s/real", f->folder);
    write_file(f, damaged);
    assert_int_equal(rename(f->path, real), 0);
    assert_int_equal(symlink(real, f->path), 0);
    lock(f);
    assert_int_equal(store(f, "a", "one", NULL), 0);
    assert_int_equal(buf_printf(&pattern, "%s.damaged-*", f->path), 0);
    assert_int_equal(glob(pattern.data, 0, NULL, &found), 0);
    assert_int_equal(file_read(found.gl_pathv[0], &text, NULL), 0);
    assert_string_equal(text.data, damaged);
    globfree(&found);
    assert_records(f, "a=one;");
}

static void behind_a_link_to_nothing_the_state_is_where_that_leads(void **state)
{
    struct fixture *f = *state;
    char real[540], left[560];

    snprintf(real, sizeof real, "%s/real", f->folder);
    snprintf(left, sizeof left, "%s.tmp-abcdef", real);
    assert_int_equal(place_make_folders(f->path, NULL), 0);
    assert_int_equal(symlink(real, f->path), 0);
    assert_int_equal(file_write(left, "x", 1, 0600, NULL), 0);
    lock(f);
    assert_int_equal(access(left, F_OK), -1);
    assert_int_equal(store(f, "a", "one", NULL), 0);
    assert_int_equal(access(real, F_OK), 0);
    assert_records(f, "a=one;");
}

static void what_a_killed_write_left_is_removed(void **state)
{
    struct fixture *f = *state;
    char left[540];

    write_file(f, "{\"version\":1,\"records\":{}}");
    snprintf(left, sizeof left, "%s.tmp-abcdef", f->path);
    assert_int_equal(file_write(left, "x", 1, 0600, NULL), 0);
    lock(f);
    assert_int_equal(count_files(f, ".tmp-"), 0);
    assert_int_equal(count_files(f, "state.json"), 2); /* and its lock */
}

static void a_damaged_record_costs_only_itself_and_stays(void **state)
{
    struct fixture *f = *state;
    _cleanup_(buf_free) struct buf text = BUF_INIT(4096);

    write_file(f, "{\"version\":1,\"records\":{\"x y\":{},\"b\":{\"status\":7},"
                  "\"c\":{\"name\":\"three\",\"status\":\"registered\"}}}");
    assert_records(f, "c=three;");
    assert_non_null(strstr(f->host.log, "record 'x y' is ignored: its key is no uid\n"));
    assert_non_null(strstr(f->host.log, "record 'b' is ignored: its 'status' is damaged\n"));
    lock(f);
    assert_int_equal(store(f, "d", "four", NULL), 0);
    assert_int_equal(file_read(f->path, &text, NULL), 0);
    assert_non_null(strstr(text.data, "\"x y\":{},\n\"b\":{\"status\":7},\n"));
    assert_int_equal(count_files(f, ".damaged-"), 0);
}

static void a_failed_write_loses_nothing(void **state)
{
    struct fixture *f = *state;
    struct rlimit whole, none = {0, 0};
    struct casb_error err = {0};
    char damaged[] = "{\"version\":1,\"records\":{\"a\":{\"name\":\"one\",\"status\":"
                     "\"registered\"},";

    lock(f);
    write_file(f, damaged);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &whole), 0);
    none.rlim_max = whole.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_int_not_equal(store(f, "b", "two", &err), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &whole), 0);
    assert_non_null(strstr(err.text, f->path));
    assert_int_equal(count_files(f, ".damaged-"), 0);
    assert_int_equal(count_files(f, "state.json"), 2); /* and its lock */
    assert_records(f, "a=one;");
}

static int stop(const struct casb_record *record, void *arg)
{
    (void)record;
    (void)arg;
    return CASB_ECANCELLED;
}

static void the_taker_can_end_the_load(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);

    lock(f);
    assert_int_equal(store(f, "a", "one", NULL), 0);
    assert_int_equal(ops()->load(f->self, &call, stop, NULL, NULL), CASB_ECANCELLED);
    assert_string_equal(f->host.log, "");
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);

    assert_int_equal(place_make_folders(f->path, NULL), 0);
    assert_int_equal(mkdir(f->path, 0700), 0);
    assert_int_not_equal(ops()->load(f->self, &call, stop, NULL, NULL), 0);
}

static int count(const struct casb_record *record, void *arg)
{
    assert_int_equal(record->seen, 1);
    ++*(size_t *)arg;
    return 0;
}

static void many_records_are_one_file(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    enum { COUNT = 10000 };
    struct casb_record *records = calloc(COUNT, sizeof *records);
    char(*names)[16] = calloc(COUNT, sizeof *names);
    size_t n = 0;

    assert_true(records && names);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "static.h%zu", i);
        records[i] = (struct casb_record){.uid = names[i], .name = names[i], .seen = 1};
    }
    lock(f);
    assert_int_equal(ops()->store(f->self, &call, records, COUNT, NULL), 0);
    assert_int_equal(ops()->store(f->self, &call, records, 1, NULL), 0);
    assert_int_equal(ops()->load(f->self, &call, count, &n, NULL), 0);
    assert_int_equal(n, COUNT);
    free(records);
    free(names);
}

struct findings {
    int good, bad;
};

static void find(const struct casb_finding *finding, void *arg)
{
    struct findings *findings = arg;

    assert_non_null(finding->what);
    assert_true(finding->good == !finding->detail);
    assert_true(finding->good || finding->remedy);
    findings->good += finding->good;
    findings->bad += !finding->good;
}

static void check_changes_nothing_and_finds_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    const struct casb_call call = call_for(10);
    struct findings fresh = {0}, broken = {0};
    char folder[540];

    snprintf(folder, sizeof folder, "%s/a", f->folder);
    assert_int_equal(casb_plugin.check(f->self, &call, find, &fresh, NULL), 0);
    assert_int_equal(fresh.good, 3);
    assert_int_equal(fresh.bad, 0);
    assert_int_equal(access(folder, F_OK), -1);
    assert_int_equal(place_make_folders(f->path, NULL), 0);
    assert_int_equal(mkdir(f->path, 0700), 0);
    assert_int_equal(casb_plugin.check(f->self, &call, find, &broken, NULL), 0);
    assert_int_equal(broken.bad, 1);
}

/* `want` NULL: an error. */
static const struct {
    const char *state_directory, *xdg, *home;
    bool root;
    const char *want;
} places[] = {
    {"/s/d:/other", "/x", "/h", true, "/s/d/i.json"},
    {NULL, "/x", "/h", true, "/var/lib/cas-backup/i.json"},
    {"/s", "/x", "/h", false, "/s/i.json"},
    {NULL, "/x", "/h", false, "/x/cas-backup/i.json"},
    {NULL, "relative", "/h", false, "/h/.local/state/cas-backup/i.json"},
    {"", NULL, "/h", false, "/h/.local/state/cas-backup/i.json"},
    {NULL, NULL, NULL, false, NULL},
};

static void set_variable(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static void the_default_place_follows_the_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(places); i++) {
        _cleanup_(freep) char *path = NULL;
        int r;

        set_variable("STATE_DIRECTORY", places[i].state_directory);
        set_variable("XDG_STATE_HOME", places[i].xdg);
        set_variable("HOME", places[i].home);
        r = place_default("i", places[i].root, &path, NULL);
        assert_int_equal(r, places[i].want ? 0 : CASB_EINVALID);
        if (places[i].want)
            assert_string_equal(path, places[i].want);
    }
}
static void a_pass_is_remembered_beside_the_records(void **state)
{
    struct fixture *f = *state;

    assert_pass(f, "");
    assert_int_equal(store_pass(f, "1"), CASB_EINVALID); /* without the lock */
    lock(f);
    assert_int_equal(store_pass(f, "1"), 0);
    assert_records(f, "");
    assert_int_equal(store(f, "a", "one", NULL), 0);
    assert_pass(f, "1");
    assert_int_equal(store_pass(f, "2"), 0);
    assert_pass(f, "2");
    assert_records(f, "a=one;");
}

static void a_file_without_a_pass_is_one_of_the_version_before(void **state)
{
    struct fixture *f = *state;

    write_file(f,
               "{\"version\":1,\"records\":{\"a\":{\"status\":\"registered\",\"name\":\"one\"}}}");
    assert_pass(f, "");
    lock(f);
    assert_int_equal(store_pass(f, "1"), 0);
    assert_records(f, "a=one;");
    write_file(f, "{\"version\":1,\"pass\":[1],\"records\":{}}");
    assert_int_equal(store_pass(f, "3"), 0);
    assert_pass(f, "3");
}

#define WITH_STATE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STATE(no_file_is_no_records),
        WITH_STATE(records_are_kept_replaced_and_dropped),
        WITH_STATE(the_file_is_its_owners_only),
        WITH_STATE(nothing_is_written_without_the_lock),
        WITH_STATE(a_second_pass_is_told_who_holds_the_lock),
        WITH_STATE(a_damaged_file_is_kept_aside_with_what_could_be_read),
        WITH_STATE(an_empty_file_is_a_damaged_one),
        WITH_STATE(behind_a_link_the_damaged_file_itself_is_kept),
        WITH_STATE(behind_a_link_to_nothing_the_state_is_where_that_leads),
        WITH_STATE(what_a_killed_write_left_is_removed),
        WITH_STATE(a_damaged_record_costs_only_itself_and_stays),
        WITH_STATE(a_failed_write_loses_nothing),
        WITH_STATE(the_taker_can_end_the_load),
        WITH_STATE(a_file_that_cannot_be_read_is_an_error),
        WITH_STATE(many_records_are_one_file),
        WITH_STATE(a_pass_is_remembered_beside_the_records),
        WITH_STATE(a_file_without_a_pass_is_one_of_the_version_before),
        WITH_STATE(check_changes_nothing_and_finds_what_is_wrong),
        cmocka_unit_test(the_default_place_follows_the_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
