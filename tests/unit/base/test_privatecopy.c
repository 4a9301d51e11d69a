/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/privatecopy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static char content_text[] = "{\"identity\": \"secret\"}";
static const struct buf content = {.data = content_text, .len = sizeof content_text - 1};

/* Folders are made and swept below a folder of the test's own. */
static int set_up(void **state)
{
    char *base = strdup("/tmp/test_privatecopy.XXXXXX");

    assert_non_null(base);
    assert_non_null(mkdtemp(base));
    assert_int_equal(setenv("XDG_RUNTIME_DIR", base, 1), 0);
    assert_int_equal(setenv("TMPDIR", base, 1), 0);
    *state = base;
    return 0;
}

static int tear_down(void **state)
{
    assert_int_equal(file_remove_tree(*state, NULL), 0);
    free(*state);
    return 0;
}

static void write_file(const char *folder, const char *name)
{
    char path[512];
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void a_copy_is_for_nobody_else(void **state)
{
    struct privatecopy copy = PRIVATECOPY_INIT;
    _cleanup_(buf_free) struct buf text = BUF_INIT(1000);
    struct casb_error err = {0};
    struct stat st;

    assert_int_equal(privatecopy_new(&content, &copy, &err), 0);
    assert_int_equal(strncmp(copy.folder, *state, strlen(*state)), 0);
    assert_int_equal(stat(copy.folder, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(copy.file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(file_read(copy.file, &text, &err), 0);
    assert_string_equal(text.data, content_text);
    assert_int_equal(privatecopy_remove(&copy, &err), 0);
}

/* ---- places that are full */

static int full_places;   /* so many from the first on have no room */
static int no_room_errno; /* as this says */

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    if (full_places <= 0)
        return __real_write(fd, data, len);
    full_places--;
    errno = no_room_errno;
    return -1;
}

static void a_full_place_is_passed_over(void **state)
{
    static const int errnos[] = {ENOSPC, EDQUOT, EFBIG};

    for (size_t i = 0; i < ELEMENTS(errnos); i++) {
        struct privatecopy copy = PRIVATECOPY_INIT;
        _cleanup_(buf_free) struct buf text = BUF_INIT(1000);
        struct casb_error err = {0};

        full_places = 1;
        no_room_errno = errnos[i];
        assert_int_equal(privatecopy_new(&content, &copy, &err), 0);
        assert_int_equal(strncmp(copy.folder, "/dev/shm/", 9), 0);
        assert_int_equal(file_read(copy.file, &text, &err), 0);
        assert_string_equal(text.data, content_text);
        assert_int_equal(rmdir(*state), 0); /* nothing is left in it */
        assert_int_equal(mkdir(*state, 0700), 0);
        assert_int_equal(privatecopy_remove(&copy, &err), 0);
    }
}

static void where_all_are_full_the_first_and_the_last_are_named(void **state)
{
    struct privatecopy copy = PRIVATECOPY_INIT;
    struct casb_error err = {0};

    full_places = 9;
    no_room_errno = ENOSPC;
    assert_int_not_equal(privatecopy_new(&content, &copy, &err), 0);
    full_places = 0;
    assert_int_equal(err.sys_errno, ENOSPC);
    assert_non_null(strstr(err.text, "in '/tmp': No space left on device; before that: "));
    assert_non_null(strstr(err.text, *state));
}

static void what_the_cli_left_beside_it_goes_too(void **state)
{
    struct privatecopy copy = PRIVATECOPY_INIT;
    _cleanup_(freep) char *folder = NULL;
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(privatecopy_new(&content, &copy, &err), 0);
    folder = strdup(copy.folder);
    assert_non_null(folder);
    write_file(folder, "config.json.tmp");
    assert_int_equal(privatecopy_remove(&copy, &err), 0);
    assert_int_equal(access(folder, F_OK), -1);
}

/* A process that ends without a clean-up, as by kill -9, and leaves its folder's path. */
static void leave_folder(char path[static 512])
{
    int ends[2];
    pid_t pid;
    ssize_t n;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        struct privatecopy copy = PRIVATECOPY_INIT;

        if (privatecopy_new(&content, &copy, NULL) < 0 ||
            write(ends[1], copy.folder, strlen(copy.folder)) < 0)
            _exit(1);
        _exit(0);
    }
    close(ends[1]);
    n = read(ends[0], path, 511);
    assert_true(n > 0);
    path[n] = 0;
    close(ends[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_sweep_removes_what_a_killed_process_left(void **state)
{
    struct casb_error err = {0};
    char dead[512];
    size_t removed;

    (void)state;
    leave_folder(dead);
    assert_int_equal(access(dead, F_OK), 0);
    assert_int_equal(privatecopy_sweep(&removed, &err), 0);
    assert_true(removed >= 1);
    assert_int_equal(access(dead, F_OK), -1);
}

/* What only the environment of the dead process named. */
static void a_sweep_finds_what_was_made_elsewhere(void **state)
{
    char *elsewhere = strdup("/tmp/test_private_elsewhere.XXXXXX");
    struct casb_error err = {0};
    char dead[512], link[600];
    size_t removed;

    assert_non_null(mkdtemp(elsewhere));
    assert_int_equal(setenv("XDG_RUNTIME_DIR", elsewhere, 1), 0);
    leave_folder(dead);
    assert_int_equal(strncmp(dead, elsewhere, strlen(elsewhere)), 0);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", *state, 1), 0);
    snprintf(link, sizeof link, "/dev/shm%s", strrchr(dead, '/'));
    assert_int_equal(privatecopy_sweep(&removed, &err), 0);
    assert_int_equal(access(dead, F_OK), -1);
    assert_int_equal(faccessat(AT_FDCWD, link, F_OK, AT_SYMLINK_NOFOLLOW), -1);
    assert_int_equal(rmdir(elsewhere), 0);
    free(elsewhere);
}

/* No copy where others could put another folder in its place. */
static void a_place_that_others_can_write_is_passed_over(void **state)
{
    struct privatecopy copy = PRIVATECOPY_INIT;
    struct casb_error err = {0};
    char place[512];

    snprintf(place, sizeof place, "%s/open", (const char *)*state);
    assert_int_equal(mkdir(place, 0700) | chmod(place, 0777), 0);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", place, 1), 0);
    assert_int_equal(privatecopy_new(&content, &copy, &err), 0);
    assert_int_not_equal(strncmp(copy.folder, place, strlen(place)), 0);
    assert_int_equal(privatecopy_remove(&copy, &err), 0);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", *state, 1), 0);
}

static void a_sweep_leaves_the_living_alone(void **state)
{
    struct privatecopy copy = PRIVATECOPY_INIT;
    struct casb_error err = {0};
    size_t removed;

    (void)state;
    assert_int_equal(privatecopy_new(&content, &copy, &err), 0);
    assert_int_equal(privatecopy_sweep(&removed, &err), 0);
    assert_int_equal(access(copy.file, F_OK), 0);
    assert_int_equal(privatecopy_remove(&copy, &err), 0);
}

/* Killed between a folder's making and its lock, now or long ago. */
static void a_sweep_takes_a_folder_whose_maker_does_not_come(void **state)
{
    const struct timespec old[2] = {{.tv_sec = time(NULL) - 61}, {.tv_sec = time(NULL) - 61}};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct casb_error err = {0};
        char *folder = NULL;
        size_t removed;

        assert_int_equal(file_private_dir("cas-backup-cli", 1, &folder, &err), 0);
        assert_int_equal(i ? utimensat(AT_FDCWD, folder, old, 0) : 0, 0);
        assert_int_equal(privatecopy_sweep(&removed, &err), 0);
        assert_int_equal(access(folder, F_OK), -1);
        free(folder);
    }
}

/* Between a folder's making and its lock it is not dead. */
static void sweeps_do_not_disturb_who_makes_copies(void **state)
{
    pid_t sweeper = fork();

    (void)state;
    if (sweeper == 0) {
        size_t removed;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            (void)!privatecopy_sweep(&removed, NULL);
    }
    for (int i = 0; i < 1500; i++) {
        struct privatecopy copy = PRIVATECOPY_INIT;
        struct casb_error err = {0};
        int r = privatecopy_new(&content, &copy, &err);

        if (r < 0 || access(copy.file, F_OK) < 0 || privatecopy_remove(&copy, &err) < 0)
            fail_msg("copy %d: %s", i, err.text);
    }
    assert_int_equal(kill(sweeper, SIGKILL), 0);
    assert_int_equal(waitpid(sweeper, NULL, 0), sweeper);
}

static void a_sweep_takes_only_folders_of_its_own_name(void **state)
{
    const char *base = *state;
    char link_path[512], other[512];
    struct casb_error err = {0};
    size_t removed;

    snprintf(other, sizeof other, "%s/other", base);
    snprintf(link_path, sizeof link_path, "%s/cas-backup-cli.link", base);
    assert_int_equal(mkdir(other, 0700), 0);
    assert_int_equal(symlink(other, link_path), 0);
    write_file(base, "cas-backup-cli.file");
    assert_int_equal(privatecopy_sweep(&removed, &err), 0);
    assert_int_equal(access(other, F_OK), 0);
    assert_int_equal(access(link_path, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_copy_is_for_nobody_else),
        TEST(a_full_place_is_passed_over),
        TEST(where_all_are_full_the_first_and_the_last_are_named),
        TEST(what_the_cli_left_beside_it_goes_too),
        TEST(a_sweep_removes_what_a_killed_process_left),
        TEST(a_sweep_finds_what_was_made_elsewhere),
        TEST(a_place_that_others_can_write_is_passed_over),
        TEST(a_sweep_leaves_the_living_alone),
        TEST(a_sweep_takes_a_folder_whose_maker_does_not_come),
        TEST(sweeps_do_not_disturb_who_makes_copies),
        TEST(a_sweep_takes_only_folders_of_its_own_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
