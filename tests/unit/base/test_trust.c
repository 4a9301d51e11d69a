/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/file.h"
#include "base/trust.h"

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

    assert_int_equal(file_private_dir("test_trust", 0, &p.dir, NULL), 0);
    snprintf(p.path, sizeof p.path, "%s/file", p.dir);
    return p;
}

static void end(struct place *p)
{
    assert_int_equal(file_remove_tree(p->dir, NULL), 0);
    free(p->dir);
}

static int check_plugin(const char *path, struct casb_error *err)
{
    return trust_check(path, TRUST_PLUGIN, err);
}

static void only_what_others_cannot_write_is_trusted(void **state)
{
    struct place p = begin();
    struct casb_error err = {0};
    char link[300];

    (void)state;
    assert_int_equal(file_write(p.path, "x", 1, 0755, NULL), 0);
    assert_int_equal(check_plugin(p.path, NULL), 0);
    snprintf(link, sizeof link, "%s/link", p.dir);
    assert_int_equal(symlink(p.path, link), 0);
    assert_int_equal(check_plugin(link, NULL), 0);
    assert_int_equal(chmod(p.path, 0775), 0);
    assert_int_equal(check_plugin(p.path, &err), CASB_EDENIED);
    assert_non_null(strstr(err.text, "writable by others (mode 0775): chmod go-w"));
    assert_int_equal(check_plugin(link, NULL), CASB_EDENIED);
    assert_int_equal(chmod(p.path, 0755), 0);
    assert_int_equal(chmod(p.dir, 01777), 0);
    assert_int_equal(check_plugin(p.path, NULL), CASB_EDENIED);
    assert_int_equal(check_plugin("/nonexistent", NULL), CASB_ENOTFOUND);
    assert_int_equal(chmod(p.dir, 0700), 0);
    end(&p);
}

/* dir/a/b/file, and links to it from elsewhere. */
static void nobody_else_may_change_the_way(void **state)
{
    struct place p = begin();
    char a[300], b[320], file[340], away[300], far[320], near[320], folder_link[320];

    (void)state;
    snprintf(a, sizeof a, "%s/a", p.dir);
    snprintf(b, sizeof b, "%s/b", a);
    snprintf(file, sizeof file, "%s/file", b);
    snprintf(away, sizeof away, "%s/away", p.dir);
    snprintf(far, sizeof far, "%s/far", away);
    snprintf(near, sizeof near, "%s/near", p.dir);
    snprintf(folder_link, sizeof folder_link, "%s/folder", p.dir);
    assert_int_equal(mkdir(a, 0700) | mkdir(b, 0700) | mkdir(away, 0700), 0);
    assert_int_equal(file_write(file, "x", 1, 0600, NULL), 0);
    assert_int_equal(symlink("../a/b/file", far) | symlink(far, near), 0);
    assert_int_equal(symlink("a/b", folder_link), 0);
    assert_int_equal(check_plugin(near, NULL), 0);
    assert_int_equal(chmod(away, 0770), 0); /* neither the first link nor the file is in there */
    assert_int_equal(check_plugin(near, NULL), CASB_EDENIED);
    assert_int_equal(check_plugin(file, NULL), 0);
    assert_int_equal(chmod(a, 0777), 0);
    assert_int_equal(check_plugin(file, NULL), CASB_EDENIED);
    snprintf(file, sizeof file, "%s/file", folder_link);
    assert_int_equal(check_plugin(file, NULL), CASB_EDENIED);
    assert_int_equal(chmod(a, 01777), 0);
    assert_int_equal(check_plugin(file, NULL), CASB_EDENIED); /* it holds what is linked */
    snprintf(file, sizeof file, "%s/file", b);
    assert_int_equal(check_plugin(file, NULL), 0);
    assert_int_equal(chmod(b, 0720), 0);
    assert_int_equal(check_plugin(file, NULL), CASB_EDENIED);
    end(&p);
}

static void links_in_a_circle_are_refused(void **state)
{
    struct place p = begin();

    (void)state;
    assert_int_equal(symlink("file", p.path), 0);
    assert_int_equal(check_plugin(p.path, NULL), CASB_EFAILED);
    end(&p);
}

static void relative_paths_are_checked_from_here(void **state)
{
    struct place p = begin();
    char here[4096];

    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(file_write(p.path, "x", 1, 0600, NULL), 0);
    assert_int_equal(chdir(p.dir), 0);
    assert_int_equal(check_plugin("file", NULL), 0);
    assert_int_equal(check_plugin("./file", NULL), 0);
    assert_int_equal(chmod(".", 0702), 0);
    assert_int_equal(check_plugin("file", NULL), CASB_EDENIED);
    assert_int_equal(chdir(here), 0);
    end(&p);
}

static void the_owner_is_root_or_ourselves(void **state)
{
    struct place p = begin();
    struct casb_error err = {0};
    bool root = geteuid() == 0; /* others cannot give a file away */

    (void)state;
    assert_int_equal(file_write(p.path, "x", 1, 0600, NULL), 0);
    if (root) {
        assert_int_equal(chown(p.path, 12345, (gid_t)-1), 0);
        assert_int_equal(check_plugin(p.path, &err), CASB_EDENIED);
        assert_non_null(strstr(err.text, "belongs to user 12345"));
    }
    end(&p);
    if (!root)
        skip();
}

static void a_sticky_folder_may_hold_a_file_but_no_plugin(void **state)
{
    struct place p = begin();

    (void)state;
    assert_int_equal(file_write(p.path, "x", 1, 0600, NULL), 0);
    assert_int_equal(chmod(p.dir, 01777), 0);
    assert_int_equal(trust_check(p.path, TRUST_PLUGIN, NULL), CASB_EDENIED);
    assert_int_equal(trust_check(p.path, TRUST_FILE, NULL), 0);
    assert_int_equal(trust_check(p.dir, TRUST_FOLDER, NULL), 0);
    assert_int_equal(trust_check(p.dir, TRUST_FILE, NULL), CASB_EDENIED);
    assert_int_equal(chmod(p.path, 01666), 0); /* which means nothing on a file */
    assert_int_equal(trust_check(p.path, TRUST_FOLDER, NULL), CASB_EDENIED);
    assert_int_equal(chmod(p.dir, 0777), 0);
    assert_int_equal(trust_check(p.dir, TRUST_FOLDER, NULL), CASB_EDENIED);
    assert_int_equal(chmod(p.dir, 0700), 0);
    end(&p);
}

/* As the kubelet mounts a ConfigMap: a sticky folder, a link to a link to a dated folder. */
static void a_mounted_configmap_is_trusted(void **state)
{
    struct place p = begin();
    char dated[300], data[300], file[330];

    (void)state;
    snprintf(dated, sizeof dated, "%s/..2026_01_01_00_00_00.1", p.dir);
    snprintf(data, sizeof data, "%s/..data", p.dir);
    snprintf(file, sizeof file, "%s/file", dated);
    assert_int_equal(mkdir(dated, 0755), 0);
    assert_int_equal(file_write(file, "x", 1, 0644, NULL), 0);
    assert_int_equal(symlink("..2026_01_01_00_00_00.1", data), 0);
    assert_int_equal(symlink("..data/file", p.path), 0);
    assert_int_equal(chmod(p.dir, 03777), 0);
    assert_int_equal(trust_check(p.path, TRUST_FILE, NULL), 0);
    assert_int_equal(chmod(file, 0664), 0);
    assert_int_equal(trust_check(p.path, TRUST_FILE, NULL), CASB_EDENIED);
    end(&p);
}

static void what_is_open_is_whose_who_opened_it(void **state)
{
    char path[64], link[300];
    struct place p = begin();
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    assert_int_equal(trust_check(path, TRUST_FILE, NULL), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    assert_int_equal(trust_check(path, TRUST_FILE, NULL), 0);
    snprintf(link, sizeof link, "%s/link", p.dir);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(trust_check(link, TRUST_FILE, NULL), 0);
    assert_int_equal(chmod(p.dir, 0777), 0);
    assert_int_equal(trust_check(link, TRUST_FILE, NULL), CASB_EDENIED);
    close(ends[0]);
    close(ends[1]);
    end(&p);
}

static void who_can_read_a_file_is_seen(void **state)
{
    struct place p = begin();

    (void)state;
    assert_int_equal(file_write(p.path, "x", 1, 0640, NULL), 0);
    assert_false(trust_is_readable_by_all(p.path));
    assert_int_equal(chmod(p.path, 0604), 0);
    assert_true(trust_is_readable_by_all(p.path));
    assert_false(trust_is_readable_by_all("/nonexistent"));
    assert_false(trust_is_readable_by_all("/dev/null"));
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_others_cannot_write_is_trusted),
        cmocka_unit_test(nobody_else_may_change_the_way),
        cmocka_unit_test(links_in_a_circle_are_refused),
        cmocka_unit_test(relative_paths_are_checked_from_here),
        cmocka_unit_test(the_owner_is_root_or_ourselves),
        cmocka_unit_test(a_sticky_folder_may_hold_a_file_but_no_plugin),
        cmocka_unit_test(a_mounted_configmap_is_trusted),
        cmocka_unit_test(what_is_open_is_whose_who_opened_it),
        cmocka_unit_test(who_can_read_a_file_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
