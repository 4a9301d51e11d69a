/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/file.h"

#include <dirent.h>
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

    assert_int_equal(file_private_dir("test_file", &p.dir, NULL), 0);
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

static void only_what_others_cannot_write_is_trusted(void **state)
{
    struct place p = begin();
    struct casb_error err = {0};
    char link[300];

    (void)state;
    assert_int_equal(file_write(p.path, "x", 1, 0755, NULL), 0);
    assert_int_equal(file_check_trusted(p.path, NULL), 0);
    snprintf(link, sizeof link, "%s/link", p.dir);
    assert_int_equal(symlink(p.path, link), 0);
    assert_int_equal(file_check_trusted(link, NULL), 0);
    assert_int_equal(chmod(p.path, 0775), 0);
    assert_int_equal(file_check_trusted(p.path, &err), CASB_EDENIED);
    assert_non_null(strstr(err.text, "writable by others (mode 0775)"));
    assert_int_equal(file_check_trusted(link, NULL), CASB_EDENIED);
    assert_int_equal(chmod(p.path, 0755), 0);
    assert_int_equal(chmod(p.dir, 01777), 0);
    assert_int_equal(file_check_trusted(p.path, NULL), CASB_EDENIED);
    assert_int_equal(file_check_trusted("/nonexistent", NULL), CASB_ENOTFOUND);
    assert_int_equal(chmod(p.dir, 0700), 0);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(a_missing_file_is_not_found_by_name),
        cmocka_unit_test(a_failed_write_leaves_the_old_file_and_no_temporary_one),
        cmocka_unit_test(a_private_file_is_new_and_0600),
        cmocka_unit_test(removing_does_not_follow_links),
        cmocka_unit_test(only_what_others_cannot_write_is_trusted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
