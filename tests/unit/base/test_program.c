/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/program.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void names_are_found_in_the_childs_path_only(void **state)
{
    char dir[] = "/tmp/test_program.XXXXXX", path[PATH_MAX], here[PATH_MAX], variable[64];
    const char *const own[] = {"A=b", variable, NULL};
    const char *const relative[] = {"PATH=:.:./", NULL}, *const none[] = {NULL};

    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    assert_non_null(mkdtemp(dir));
    snprintf(variable, sizeof variable, "PATH=/nonexistent:%s:", dir);
    assert_int_equal(chdir(dir), 0);
    fclose(fopen("tool", "w"));
    assert_int_equal(program_find("tool", own, path, NULL), CASB_EDENIED);
    assert_int_equal(chmod("tool", 0700), 0);
    assert_int_equal(program_find("tool", own, path, NULL), 0);
    assert_memory_equal(path, dir, strlen(dir));
    assert_int_equal(program_find("tool", relative, path, NULL), CASB_ENOTFOUND);
    assert_int_equal(program_find("./tool", relative, path, NULL), 0);
    assert_int_equal(program_find("", own, path, NULL), CASB_ENOTFOUND);
    assert_int_equal(program_find("sh", none, path, NULL), 0);
    unlink("tool");
    assert_int_equal(chdir(here), 0);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_in_the_childs_path_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
