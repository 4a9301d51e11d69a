/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand where the state and its lock are, and what is left alone. */
#include "unit/unit.h"

#include "base/file.h"
#include "state-file/state_file.h"
#include "unit/recording_host.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define RECORDS                                                                                    \
    "{\"version\":1,\"records\":{\n\"a\":{\"name\":\"one\",\"status\":\"registered\"}\n}}\n"
#define KEY    "{\"default_cas\":\"c\",\"cas_db\":{},\"identity\":\"the owner's key\"}\n"
#define HOLDER "host-2_1_abc, pid 7, since 2026-11-25T12:00:00Z\n"

struct fixture {
    char *folder;
    char path[300], lock[310], other[300];
    struct recording_host host;
    struct state_file_settings settings;
    void *self;
};

static const struct casb_state_ops *ops(void)
{
    return casb_plugin.ops;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    assert_int_equal(file_private_dir("test-own", 0, &f->folder, NULL), 0);
    snprintf(f->path, sizeof f->path, "%s/state.json", f->folder);
    snprintf(f->lock, sizeof f->lock, "%s.lock", f->path);
    snprintf(f->other, sizeof f->other, "%s/other", f->folder);
    f->settings.path = f->path;
    recording_host_init(&f->host, "host-1_77_abc");
    assert_int_equal(casb_plugin.open(&f->host.host, &f->settings, &f->self, NULL), 0);
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

static int ignore(const struct casb_record *record, void *arg)
{
    (void)record;
    (void)arg;
    return 0;
}

static void put(const char *path, const char *text, mode_t mode)
{
    assert_int_equal(file_write(path, text, strlen(text), mode, NULL), 0);
}

static void assert_content(const char *path, const char *want)
{
    _cleanup_(buf_free) struct buf text = BUF_INIT(4096);

    assert_int_equal(file_read(path, &text, NULL), 0);
    assert_string_equal(buf_text(&text), want);
}

static int take_lock(struct fixture *f, struct casb_error *err)
{
    const struct casb_call call = call_for(10);

    return ops()->lock(f->self, &call, lost, NULL, err);
}

/* Neither status nor a pass may take it for the state. */
static void assert_refused(struct fixture *f, int want, const char *text)
{
    const struct casb_call call = call_for(10);
    struct casb_error load_err = {0}, lock_err = {0};

    assert_int_equal(ops()->load(f->self, &call, ignore, NULL, &load_err), want);
    assert_non_null(strstr(load_err.text, f->path));
    assert_non_null(strstr(load_err.text, text));
    assert_int_not_equal(take_lock(f, &lock_err), 0);
    assert_non_null(strstr(lock_err.text, text));
    assert_int_equal(access(f->lock, F_OK), -1);
    assert_string_equal(f->host.log, "");
}

static void what_is_no_regular_file_is_no_state(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(mkdir(f->path, 0700), 0);
    assert_refused(f, CASB_EINVALID, "is no regular file");
    assert_int_equal(rmdir(f->path), 0);
    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_refused(f, CASB_EINVALID, "is no regular file");
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(symlink("/dev/null", f->path), 0);
    assert_refused(f, CASB_EINVALID, "is no regular file");
}

static void another_files_content_is_left_untouched(void **state)
{
    static const char *const texts[] = {KEY, "{}", "a: 1\n", "{\"version\":1,\"nodes\":[]}",
                                        "{\"version\":\"1.0\",\"records\":{}}"};
    struct fixture *f = *state;
    char temporary[320];

    snprintf(temporary, sizeof temporary, "%s.tmp-abcdef", f->path);
    put(temporary, "theirs", 0600);
    for (size_t i = 0; i < ELEMENTS(texts); i++) {
        put(f->path, texts[i], 0600);
        assert_refused(f, CASB_EINVALID, "another's file");
        assert_content(f->path, texts[i]);
        assert_content(temporary, "theirs");
    }
}

static void so_is_what_comes_there_during_a_pass(void **state)
{
    const struct casb_record record = {.uid = "b", .name = "two", .status = CASB_REGISTERED};
    const struct casb_call call = call_for(10);
    struct casb_error err = {0};
    struct fixture *f = *state;

    assert_int_equal(take_lock(f, NULL), 0);
    put(f->path, KEY, 0600);
    assert_int_equal(ops()->store(f->self, &call, &record, 1, &err), CASB_EINVALID);
    assert_non_null(strstr(err.text, "another's file"));
    assert_content(f->path, KEY);
}

static void a_state_that_others_could_have_written_is_refused(void **state)
{
    struct fixture *f = *state;

    put(f->path, RECORDS, 0666);
    assert_refused(f, CASB_EDENIED, "is writable by others (mode 0666): chmod go-w");
    put(f->path, RECORDS, 0620);
    assert_refused(f, CASB_EDENIED, "is writable by others (mode 0620)");
    put(f->path, RECORDS, 0644);
    assert_int_equal(take_lock(f, NULL), 0);
}

/* A file system without modes or owners of its own shows the same ones for all. */
static void a_folder_that_is_as_open_says_that_this_is_meant(void **state)
{
    struct fixture *f = *state;

    put(f->path, RECORDS, 0666);
    assert_int_equal(chmod(f->folder, 01777), 0);
    assert_refused(f, CASB_EDENIED, "is writable by others");
    assert_int_equal(chmod(f->folder, 0777), 0);
    assert_int_equal(take_lock(f, NULL), 0);
}

static void a_strangers_state_is_refused(void **state)
{
    struct fixture *f = *state;

    if (geteuid() != 0)
        skip();
    put(f->path, RECORDS, 0600);
    assert_int_equal(chown(f->path, 4711, (gid_t)-1), 0);
    assert_refused(f, CASB_EDENIED, "belongs to user 4711");
    assert_int_equal(chown(f->folder, 4711, (gid_t)-1), 0);
    assert_int_equal(take_lock(f, NULL), 0);
}

/* What stands at the lock's path; whether it may be taken; and what the error says. */
static void a_lock_is_written_to_only_where_it_is_one(void **state)
{
    enum how { FILE_OF_OURS, FIFO, FOLDER, LINK, HARD_LINK, OPEN_TO_OTHERS };
    static const struct {
        enum how how;
        const char *text, *error;
    } table[] = {
        {FILE_OF_OURS, "", NULL},
        {FILE_OF_OURS, HOLDER, NULL},
        {FILE_OF_OURS, KEY, "is another's file"},
        {FILE_OF_OURS, "# lock file of a package manager\n", "is another's file"},
        {FIFO, NULL, "is no regular file"},
        {FOLDER, NULL, "is no regular file"},
        {LINK, HOLDER, "Too many levels of symbolic links"},
        {HARD_LINK, HOLDER, "has another name"},
        {OPEN_TO_OTHERS, HOLDER, "is writable by others"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const struct casb_call call = call_for(10);
        struct casb_error err = {0};
        int r;

        remove(f->lock);
        remove(f->other);
        if (table[i].text)
            put(f->other, table[i].text, table[i].how == OPEN_TO_OTHERS ? 0666 : 0600);
        r = table[i].how == FIFO        ? mkfifo(f->lock, 0600)
            : table[i].how == FOLDER    ? mkdir(f->lock, 0700)
            : table[i].how == LINK      ? symlink(f->other, f->lock)
            : table[i].how == HARD_LINK ? link(f->other, f->lock)
                                        : rename(f->other, f->lock);
        assert_int_equal(r, 0);
        r = take_lock(f, &err);
        if ((r == 0) != !table[i].error || !strstr(err.text, table[i].error ? table[i].error : ""))
            fail_msg("%zu: %s", i, err.text);
        if (table[i].error && table[i].text)
            assert_content(f->lock, table[i].text);
        if (r == 0)
            assert_int_equal(ops()->unlock(f->self, &call, NULL), 0);
    }
}

static void find(const struct casb_finding *finding, void *arg)
{
    if (!finding->good)
        assert_int_equal(buf_puts(arg, finding->detail), 0);
}

static void check_tells_of_a_lock_that_cannot_be_taken(void **state)
{
    const struct casb_call call = call_for(10);
    _cleanup_(buf_free) struct buf bad = BUF_INIT(4096);
    struct fixture *f = *state;

    put(f->lock, HOLDER, 0600);
    assert_int_equal(casb_plugin.check(f->self, &call, find, &bad, NULL), 0);
    assert_string_equal(buf_text(&bad), "");
    put(f->lock, KEY, 0600);
    assert_int_equal(casb_plugin.check(f->self, &call, find, &bad, NULL), 0);
    assert_non_null(strstr(buf_text(&bad), "is another's file"));
    assert_content(f->lock, KEY);
}

static int flock_failed; /* errno, or 0: the call goes through */

int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);
int __wrap_flock(int fd, int how)
{
    errno = flock_failed;
    return flock_failed ? -1 : __real_flock(fd, how);
}

static void check_tells_of_a_file_system_that_cannot_lock(void **state)
{
    static const int table[] = {ENOLCK, ENOTSUP, ENOSYS, EIO};
    const struct casb_call call = call_for(10);
    struct fixture *f = *state;

    put(f->lock, HOLDER, 0600);
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        _cleanup_(buf_free) struct buf bad = BUF_INIT(4096);
        struct casb_error err = {0};

        flock_failed = table[i];
        assert_int_not_equal(take_lock(f, &err), 0);
        assert_int_equal(casb_plugin.check(f->self, &call, find, &bad, NULL), 0);
        flock_failed = 0;
        assert_string_equal(buf_text(&bad), strstr(err.text, "lock '"));
    }
}

static void who_holds_the_lock_is_no_matter_of_check(void **state)
{
    const struct casb_call call = call_for(10);
    _cleanup_(buf_free) struct buf bad = BUF_INIT(4096);
    struct fixture *f = *state;

    assert_int_equal(take_lock(f, NULL), 0);
    assert_int_equal(casb_plugin.check(f->self, &call, find, &bad, NULL), 0);
    assert_string_equal(buf_text(&bad), "");
    assert_int_equal(ops()->unlock(f->self, &call, NULL), 0);
    assert_int_equal(take_lock(f, NULL), 0);
}

static void note_folder(const struct casb_finding *finding, void *arg)
{
    if (strncmp(finding->what, "folder", 6) == 0)
        assert_int_equal(buf_printf(arg, "%s: %d", finding->what, finding->good), 0);
}

static void check_looks_at_the_nearest_folder_there_is(void **state)
{
    static const struct {
        const char *path, *want;
    } table[] = {
        {"state.json", "folder '.' can be written: 1"},
        {"./state.json", "folder '.' can be written: 1"},
        {"there/state.json", "folder 'there' can be written: 1"},
        {"there/none/none/state.json", "folder 'there' can be written: 1"},
        {"none/state.json", "folder '.' can be written: 1"},
        {"none/none/state.json", "folder '.' can be written: 1"},
        {"/none/state.json", "folder '/' can be written: "},
        {"/state.json", "folder '/' can be written: "},
    };
    const struct casb_call call = call_for(10);
    struct fixture *f = *state;
    _cleanup_(freep) char *before = getcwd(NULL, 0);

    assert_int_equal(chdir(f->folder), 0);
    assert_int_equal(mkdir("there", 0700), 0);
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const struct state_file_settings settings = {table[i].path};
        _cleanup_(buf_free) struct buf found = BUF_INIT(4096);
        void *self;

        assert_int_equal(casb_plugin.open(&f->host.host, &settings, &self, NULL), 0);
        assert_int_equal(casb_plugin.check(self, &call, note_folder, &found, NULL), 0);
        if (strncmp(buf_text(&found), table[i].want, strlen(table[i].want)) != 0)
            fail_msg("%s: %s", table[i].path, buf_text(&found));
        casb_plugin.close(self);
    }
    assert_int_equal(chdir(before), 0);
}

#define WITH_STATE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STATE(what_is_no_regular_file_is_no_state),
        WITH_STATE(another_files_content_is_left_untouched),
        WITH_STATE(so_is_what_comes_there_during_a_pass),
        WITH_STATE(a_state_that_others_could_have_written_is_refused),
        WITH_STATE(a_folder_that_is_as_open_says_that_this_is_meant),
        WITH_STATE(a_strangers_state_is_refused),
        WITH_STATE(a_lock_is_written_to_only_where_it_is_one),
        WITH_STATE(check_tells_of_a_lock_that_cannot_be_taken),
        WITH_STATE(check_tells_of_a_file_system_that_cannot_lock),
        WITH_STATE(who_holds_the_lock_is_no_matter_of_check),
        WITH_STATE(check_looks_at_the_nearest_folder_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
