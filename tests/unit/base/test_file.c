/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/file.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of the test's own, with a path for a file in it. */
struct place {
    char *dir;
    char path[256];
};

static struct place begin(void)
{
    struct place p = {NULL, ""};

    assert_int_equal(file_private_dir("test_file", 0, &p.dir, NULL), 0);
    snprintf(p.path, sizeof p.path, "%s/file", p.dir);
    return p;
}

static void end(struct place *p)
{
    assert_int_equal(file_remove_tree(p->dir, NULL), 0);
    assert_int_equal(access(p->dir, F_OK), -1);
    free(p->dir);
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static int entries(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    int n = 0;

    while ((entry = readdir(dir)))
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void what_is_written_is_read_again(void **state)
{
    struct place p = begin();
    struct buf text = BUF_INIT(100), tight = BUF_INIT(3);
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(mode_of(p.dir), 0700);
    assert_int_equal(file_write(p.path, "first", 5, 0640, NULL), 0);
    assert_int_equal(file_write(p.path, "second", 6, 0640, NULL), 0);
    assert_int_equal(mode_of(p.path), 0640);
    assert_int_equal(file_read(p.path, &text, NULL), 0);
    assert_string_equal(buf_text(&text), "second");
    assert_int_equal(file_read(p.path, &tight, &err), CASB_EINVALID);
    assert_non_null(strstr(err.text, "larger than 3 bytes"));
    buf_free(&text);
    buf_free(&tight);
    end(&p);
}

/* ---- file systems that have no such thing */

static int fchmod_failed, fsync_failed; /* errno, or 0: the call goes through */

int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode)
{
    errno = fchmod_failed;
    return fchmod_failed ? -1 : __real_fchmod(fd, mode);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    errno = fsync_failed;
    return fsync_failed ? -1 : __real_fsync(fd);
}

static void modes_and_syncing_may_be_unknown_to_a_file_system(void **state)
{
    static const struct {
        int fchmod_failed, fsync_failed, want;
    } table[] = {
        {0, 0, 0},          {EPERM, 0, 0},  {EINVAL, 0, 0},      {ENOSYS, 0, 0},
        {EOPNOTSUPP, 0, 0}, {EACCES, 0, 0}, {0, EINVAL, 0},      {0, ENOSYS, 0},
        {0, EOPNOTSUPP, 0}, {0, EIO, EIO},  {0, EDQUOT, EDQUOT},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        struct place p = begin();
        struct casb_error err = {0};

        fchmod_failed = table[i].fchmod_failed;
        fsync_failed = table[i].fsync_failed;
        assert_int_equal(file_write(p.path, "text", 4, 0600, &err) == 0, table[i].want == 0);
        fchmod_failed = fsync_failed = 0;
        assert_int_equal(err.sys_errno, table[i].want);
        assert_int_equal(entries(p.dir), table[i].want == 0);
        if (table[i].want == 0)
            assert_int_equal(mode_of(p.path), 0600);
        end(&p);
    }
}

static void a_folder_that_cannot_be_read_can_be_written(void **state)
{
    const uid_t self = geteuid(), nobody = 65534;
    struct place p = begin();

    (void)state;
    assert_int_equal(chmod(p.dir, 0300), 0);
    if (self == 0) { /* who may read anything */
        assert_int_equal(chown(p.dir, nobody, (gid_t)-1), 0);
        assert_int_equal(seteuid(nobody), 0);
    }
    assert_int_equal(opendir(p.dir) == NULL, 1);
    assert_int_equal(file_write(p.path, "text", 4, 0600, NULL), 0);
    assert_int_equal(chmod(p.dir, 0700), 0);
    assert_int_equal(seteuid(self), 0);
    end(&p);
}

static void a_byte_order_mark_is_no_part_of_a_text(void **state)
{
    static const struct {
        const char *content, *text;
    } cases[] = {
        {"", ""},
        {"\357\273\277", ""},
        {"\357\273\277text", "text"},
        {"\357\273text", "\357\273text"},
        {"\357\273", "\357\273"},
        {"text\357\273\277", "text\357\273\277"},
        {"\357\273\277\357\273\277", "\357\273\277"},
    };
    struct place p = begin();

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct buf text = BUF_INIT(100);

        assert_int_equal(file_write(p.path, cases[i].content, strlen(cases[i].content), 0600, NULL),
                         0);
        assert_int_equal(file_read(p.path, &text, NULL), 0);
        assert_string_equal(buf_text(&text), cases[i].text);
        assert_int_equal(text.len, strlen(cases[i].text));
        buf_free(&text);
    }
    end(&p);
}

static void a_missing_file_is_not_found_by_name(void **state)
{
    struct buf text = BUF_INIT(100);
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(file_read("/nonexistent/file", &text, &err), CASB_ENOTFOUND);
    assert_string_equal(err.text, "read '/nonexistent/file': No such file or directory");
}

static void a_failed_write_leaves_the_old_file_and_no_temporary_one(void **state)
{
    struct place p = begin();
    char inside[300];
    struct buf text = BUF_INIT(100);

    (void)state;
    assert_int_equal(mkdir(p.path, 0700), 0); /* a folder: rename() onto it fails */
    snprintf(inside, sizeof inside, "%s/kept", p.path);
    assert_int_equal(file_write(inside, "kept", 4, 0600, NULL), 0);
    assert_int_not_equal(file_write(p.path, "x", 1, 0600, NULL), 0);
    assert_int_equal(file_read(inside, &text, NULL), 0);
    assert_string_equal(buf_text(&text), "kept");
    assert_int_equal(entries(p.dir), 1);
    buf_free(&text);
    end(&p);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
    struct place p = begin();
    _cleanup_(buf_free) struct buf text = BUF_INIT(100);
    struct rlimit limit, small;
    struct casb_error err = {0};
    int r;

    (void)state;
    assert_int_equal(file_write(p.path, "kept", 4, 0600, NULL), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = (struct rlimit){4, limit.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    r = file_write(p.path, "longer", 6, 0600, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(r, CASB_EFAILED);
    assert_non_null(strstr(err.text, p.path));
    assert_int_equal(file_read(p.path, &text, NULL), 0);
    assert_string_equal(buf_text(&text), "kept");
    assert_int_equal(entries(p.dir), 1);
    end(&p);
}

/* `text`, with `folder` for a "%s" that it may begin with. */
static void put_folder(char to[static 600], const char *text, const char *folder)
{
    bool absolute = *text == '%';

    snprintf(to, 600, "%s%s", absolute ? folder : "", text + (absolute ? 2 : 0));
}

static void a_link_stays_a_link(void **state)
{
    struct place p = begin();
    _cleanup_(buf_free) struct buf text = BUF_INIT(100);
    char link[300];
    struct stat st;

    (void)state;
    snprintf(link, sizeof link, "%s/link", p.dir);
    assert_int_equal(file_write(p.path, "old", 3, 0600, NULL), 0);
    assert_int_equal(symlink("file", link), 0);
    assert_int_equal(file_write(link, "new", 3, 0600, NULL), 0);
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(file_read(p.path, &text, NULL), 0);
    assert_string_equal(buf_text(&text), "new");
    end(&p);
}

static void a_link_to_nothing_says_where_the_file_is_to_be(void **state)
{
    static const struct {
        const char *link, *through; /* two links; NULL: one */
        const char *want;           /* in the test's folder; NULL: an error */
    } table[] = {
        {"there/new", NULL, "there/new"},
        {"./there/../there/new", NULL, "there/new"},
        {"%s/there/new", NULL, "there/new"},
        {"there/second", "new", "there/new"},
        {"there/second", "%s/there/new", "there/new"},
        {"missing/new", NULL, NULL},
        {"%s/missing/new", NULL, NULL},
        {"there/second", "../missing/new", NULL},
        {"there/", NULL, NULL},
        {"link", NULL, NULL}, /* a loop */
        {"there/second", "../link", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        struct place p = begin();
        _cleanup_(buf_free) struct buf text = BUF_INIT(100);
        char there[300], link[300], second[320], to[600], want[600];
        struct stat st;
        int r;

        snprintf(there, sizeof there, "%s/there", p.dir);
        snprintf(link, sizeof link, "%s/link", p.dir);
        snprintf(second, sizeof second, "%s/second", there);
        assert_int_equal(mkdir(there, 0700), 0);
        put_folder(to, table[i].link, p.dir);
        assert_int_equal(symlink(to, link), 0);
        if (table[i].through) {
            put_folder(to, table[i].through, p.dir);
            assert_int_equal(symlink(to, second), 0);
        }
        r = file_write(link, "new", 3, 0600, NULL);
        if ((r == 0) != (table[i].want != NULL))
            fail_msg("%zu: %d", i, r);
        assert_int_equal(lstat(link, &st), 0);
        assert_true(S_ISLNK(st.st_mode));
        assert_int_equal(entries(p.dir), 2);
        assert_int_equal(entries(there), (table[i].through != NULL) + (r == 0));
        if (r == 0) {
            snprintf(want, sizeof want, "%s/%s", p.dir, table[i].want);
            assert_int_equal(file_read(want, &text, NULL), 0);
            assert_string_equal(buf_text(&text), "new");
        }
        end(&p);
    }
}

static void leftovers_are_only_what_a_write_may_have_left(void **state)
{
    static const struct {
        const char *name;
        bool stays;
    } table[] = {
        {"file", true},
        {"file.tmp-abcXY9", false},
        {"file.tmp-mine", true},
        {"file.tmp-", true},
        {"file.tmp-abcde", true},
        {"file.tmp-abcdefg", true},
        {"file.tmp-a.cdef", true},
        {"file.tmp_abcdef", true},
        {"other.tmp-abcdef", true},
        {"file.tmp-abcdef~", true},
    };
    struct place p = begin();
    char path[300];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        snprintf(path, sizeof path, "%s/%s", p.dir, table[i].name);
        assert_int_equal(file_write_private(path, "x", 1, NULL), 0);
    }
    file_remove_leftovers(p.path);
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        snprintf(path, sizeof path, "%s/%s", p.dir, table[i].name);
        if ((access(path, F_OK) == 0) != table[i].stays)
            fail_msg("%s", table[i].name);
    }
    end(&p);
}

static void a_pipe_is_written_to_and_not_replaced(void **state)
{
    struct place p = begin();
    _cleanup_(closep) int fd = -1;
    char text[8] = "";
    struct stat st;

    (void)state;
    assert_int_equal(mkfifo(p.path, 0600), 0);
    fd = open(p.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(file_write_through(p.path, "text", 4, 0600, NULL), 0);
    assert_int_equal(read(fd, text, sizeof text), 4);
    assert_string_equal(text, "text");
    assert_int_equal(stat(p.path, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    end(&p);
}

static void what_is_no_regular_file_is_not_waited_for(void **state)
{
    static const mode_t kinds[] = {S_IFIFO, S_IFSOCK, S_IFDIR, S_IFLNK};
    struct place p = begin();

    (void)state;
    for (size_t i = 0; i < ELEMENTS(kinds); i++) {
        struct casb_error err = {0};
        struct stat st;
        int r = kinds[i] == S_IFDIR   ? mkdir(p.path, 0700)
                : kinds[i] == S_IFLNK ? symlink("/dev/null", p.path)
                                      : mknod(p.path, kinds[i] | 0600, 0);

        assert_int_equal(r, 0);
        assert_int_equal(file_write(p.path, "text", 4, 0600, &err), CASB_EINVALID);
        assert_non_null(strstr(err.text, "is no regular file"));
        assert_int_equal(lstat(p.path, &st), 0);
        assert_int_equal(st.st_mode & S_IFMT, kinds[i]);
        assert_int_equal(entries(p.dir), 1);
        assert_int_equal(remove(p.path), 0);
    }
    end(&p);
}

static void a_pipe_is_read_to_its_end(void **state)
{
    _cleanup_(buf_free) struct buf text = BUF_INIT(100);
    char path[32];
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "text", 4), 4);
    close(fds[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", fds[0]);
    assert_int_equal(file_read(path, &text, NULL), 0);
    assert_string_equal(buf_text(&text), "text");
    close(fds[0]);
}

static void what_cannot_be_read_whole_leaves_nothing(void **state)
{
    _cleanup_(buf_free) struct buf text = BUF_INIT(100);

    (void)state;
    assert_int_equal(file_read("/dev/zero", &text, NULL), CASB_EINVALID);
    assert_int_equal(text.len, 0);
    assert_int_equal(file_read("/", &text, NULL), CASB_EFAILED);
}

static void a_private_folder_is_made_where_it_can(void **state)
{
    static const char *const unusable[] = {"/nonexistent/run", "relative", ""};
    _cleanup_(freep) char *before = NULL, *dir = NULL;
    const char *old = getenv("XDG_RUNTIME_DIR");
    struct place p = begin();

    (void)state;
    assert_int_equal(text_dup(old, &before), 0);
    for (size_t i = 0; i < ELEMENTS(unusable); i++) {
        setenv("XDG_RUNTIME_DIR", unusable[i], 1);
        assert_int_equal(file_private_dir("test_file", 0, &dir, NULL), 0);
        assert_int_equal(dir[0], '/');
        assert_int_equal(mode_of(dir), 0700);
        assert_int_equal(file_remove_tree(dir, NULL), 0);
        free(TAKE_PTR(dir));
    }
    setenv("XDG_RUNTIME_DIR", p.dir, 1);
    assert_int_equal(file_private_dir("test_file", 0, &dir, NULL), 0);
    assert_memory_equal(dir, p.dir, strlen(p.dir));
    if (before)
        setenv("XDG_RUNTIME_DIR", before, 1);
    else
        unsetenv("XDG_RUNTIME_DIR");
    end(&p);
}

static void a_private_file_is_new_and_0600(void **state)
{
    struct place p = begin();
    mode_t old = umask(0);

    (void)state;
    assert_int_equal(file_write_private(p.path, "key", 3, NULL), 0);
    umask(old);
    assert_int_equal(mode_of(p.path), 0600);
    assert_int_equal(file_write_private(p.path, "key", 3, NULL), CASB_ECONFLICT);
    end(&p);
}

static void removing_does_not_follow_links(void **state)
{
    struct place keep = begin(), p = begin();

    (void)state;
    assert_int_equal(file_write(keep.path, "x", 1, 0600, NULL), 0);
    assert_int_equal(symlink(keep.dir, p.path), 0);
    end(&p);
    assert_int_equal(access(keep.path, F_OK), 0);
    assert_int_equal(file_remove_tree("/nonexistent/tree", NULL), 0);
    end(&keep);
}

/* Go's module cache, for one, is made of such. */
static void folders_that_their_owner_may_not_change_are_removed_too(void **state)
{
    static const mode_t modes[] = {0500, 0300, 0400, 0000};
    struct place p = begin();
    char path[300];

    (void)state;
    if (geteuid() == 0) /* whom modes do not stop */
        assert_true(chown(p.dir, 65534, (gid_t)-1) == 0 && seteuid(65534) == 0);
    for (size_t i = 0; i < ELEMENTS(modes); i++) {
        snprintf(path, sizeof path, "%s/%zu", p.dir, i);
        assert_int_equal(mkdir(path, 0700), 0);
        snprintf(path, sizeof path, "%s/%zu/file", p.dir, i);
        assert_int_equal(file_write_private(path, "key", 3, NULL), 0);
        snprintf(path, sizeof path, "%s/%zu", p.dir, i);
        assert_int_equal(chmod(path, modes[i]), 0);
    }
    for (size_t i = 0; i < ELEMENTS(modes); i++) {
        snprintf(path, sizeof path, "%s/%zu", p.dir, i);
        assert_int_equal(file_remove_tree(path, NULL), 0);
        assert_int_equal(access(path, F_OK), -1);
    }
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    end(&p);
}

static void what_root_makes_is_the_folders_owners(void **state)
{
    struct place p = begin();
    struct stat st;
    int fd;

    (void)state;
    if (geteuid() != 0) {
        end(&p);
        skip();
    }
    assert_int_equal(chown(p.dir, 12345, 12346), 0);
    assert_int_equal(file_open_regular(p.path, O_RDWR | O_CREAT, &fd, NULL), 0);
    assert_int_equal(fstat(fd, &st), 0);
    close(fd);
    assert_int_equal(st.st_uid, 12345);
    assert_int_equal(chown(p.path, 0, 0), 0);
    assert_int_equal(file_write(p.path, "x", 1, 0600, NULL), 0);
    assert_int_equal(stat(p.path, &st), 0);
    assert_int_equal(st.st_uid, 12345);
    assert_int_equal(st.st_gid, 12346);
    assert_int_equal(st.st_mode & 07777, 0600);
    end(&p);
}

static void trees_are_removed_whole(void **state)
{
    struct place p = begin();
    char inner[300], file[320];

    (void)state;
    assert_int_equal(mkdir(p.path, 0700), 0);
    snprintf(inner, sizeof inner, "%s/inner", p.path);
    assert_int_equal(mkdir(inner, 0700), 0);
    snprintf(file, sizeof file, "%s/.hidden", inner);
    assert_int_equal(file_write_private(file, "x", 1, NULL), 0);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(modes_and_syncing_may_be_unknown_to_a_file_system),
        cmocka_unit_test(a_folder_that_cannot_be_read_can_be_written),
        cmocka_unit_test(a_byte_order_mark_is_no_part_of_a_text),
        cmocka_unit_test(a_missing_file_is_not_found_by_name),
        cmocka_unit_test(a_failed_write_leaves_the_old_file_and_no_temporary_one),
        cmocka_unit_test(a_full_disk_leaves_the_old_file),
        cmocka_unit_test(a_link_stays_a_link),
        cmocka_unit_test(a_link_to_nothing_says_where_the_file_is_to_be),
        cmocka_unit_test(leftovers_are_only_what_a_write_may_have_left),
        cmocka_unit_test(a_pipe_is_written_to_and_not_replaced),
        cmocka_unit_test(what_is_no_regular_file_is_not_waited_for),
        cmocka_unit_test(a_pipe_is_read_to_its_end),
        cmocka_unit_test(what_cannot_be_read_whole_leaves_nothing),
        cmocka_unit_test(a_private_folder_is_made_where_it_can),
        cmocka_unit_test(a_private_file_is_new_and_0600),
        cmocka_unit_test(removing_does_not_follow_links),
        cmocka_unit_test(folders_that_their_owner_may_not_change_are_removed_too),
        cmocka_unit_test(what_root_makes_is_the_folders_owners),
        cmocka_unit_test(trees_are_removed_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
