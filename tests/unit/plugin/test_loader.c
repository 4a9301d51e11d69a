/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "plugin/loader.h"

#include <limits.h>
#include <sys/stat.h>

/* The folder of the mock plugins. */
static char *mocks(char out[static PATH_MAX])
{
    const char *top = getenv("builddir");

    snprintf(out, PATH_MAX, "%s/tests/loader/.libs", top ? top : ".");
    return out;
}

static void good_plugins_of_each_kind_are_loaded(void **state)
{
    const struct casb_plugin *plugin = NULL;
    struct casb_error err = {0};
    char dir[PATH_MAX];

    (void)state;
    for (enum casb_kind kind = CASB_DISCOVERY; kind <= CASB_STATE; kind++) {
        assert_int_equal(loader_load(mocks(dir), kind, "good", &plugin, &err), 0);
        assert_int_equal(plugin->kind, kind);
        assert_string_equal(plugin->name, "good");
    }
}

static void every_fault_is_refused_by_its_own_text(void **state)
{
    static const struct {
        const char *name;
        int code;
        const char *text;
    } cases[] = {
        {"wrong-abi", CASB_EFAILED, "made for ABI 99, this is ABI 2"},
        {"struct-short", CASB_EFAILED, "its descriptor has 16 bytes"},
        {"wrong-kind", CASB_EFAILED, "is a state plugin, not discovery"},
        {"wrong-name", CASB_EFAILED, "calls itself 'other'"},
        {"ops-short", CASB_EFAILED, "its table of slots has"},
        {"slot-missing", CASB_EFAILED, "the slot 'remove' is missing"},
        {"option-outside", CASB_EFAILED, "option 'config' lies outside its settings"},
        {"no-symbol", CASB_EFAILED, "exports no casb_plugin"},
        {"absent", CASB_ENOTFOUND, "discovery-absent.so"},
        {"../good", CASB_EINVALID, "'../good' is no name of a discovery plugin"},
        {"", CASB_EINVALID, "'' is no name of a discovery plugin"},
        {"Good", CASB_EINVALID, "'Good' is no name of a discovery plugin"},
    };
    char dir[PATH_MAX];

    (void)state;
    mocks(dir);
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        const struct casb_plugin *plugin = NULL;
        struct casb_error err = {0};

        assert_int_equal(loader_load(dir, CASB_DISCOVERY, cases[i].name, &plugin, &err),
                         cases[i].code);
        if (!strstr(err.text, cases[i].text))
            fail_msg("'%s' is not in '%s'", cases[i].text, err.text);
        assert_null(plugin);
    }
}

static void a_file_that_is_no_object_is_refused(void **state)
{
    const struct casb_plugin *plugin = NULL;
    _cleanup_(freep) char *dir = NULL;
    struct casb_error err = {0};
    char path[PATH_MAX];

    (void)state;
    assert_int_equal(file_private_dir("loader", 0, &dir, &err), 0);
    snprintf(path, sizeof path, "%s/state-text.so", dir);
    assert_int_equal(file_write_private(path, "text", 4, &err), 0);
    assert_int_equal(loader_load(dir, CASB_STATE, "text", &plugin, &err), CASB_EFAILED);
    assert_non_null(strstr(err.text, "state-text.so"));
    file_remove_tree(dir, NULL);
}

static void a_pipe_or_a_folder_is_refused_at_once(void **state)
{
    const struct casb_plugin *plugin = NULL;
    _cleanup_(freep) char *dir = NULL;
    struct casb_error err = {0};
    char path[PATH_MAX];

    (void)state;
    assert_int_equal(file_private_dir("loader", 0, &dir, &err), 0);
    snprintf(path, sizeof path, "%s/state-pipe.so", dir);
    assert_int_equal(mkfifo(path, 0700), 0);
    assert_int_equal(loader_load(dir, CASB_STATE, "pipe", &plugin, &err), CASB_EINVALID);
    assert_non_null(strstr(err.text, "state-pipe.so' is no regular file"));
    err = (struct casb_error){0};
    snprintf(path, sizeof path, "%s/state-folder.so", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(loader_load(dir, CASB_STATE, "folder", &plugin, &err), CASB_EINVALID);
    assert_non_null(strstr(err.text, "state-folder.so' is no regular file"));
    file_remove_tree(dir, NULL);
}

/* Copies the good plugin into a new folder beside another file, with these modes. */
static int load_copy(mode_t file_mode, mode_t dir_mode, const char *beside, mode_t beside_mode,
                     struct casb_error *err)
{
    _cleanup_(buf_free) struct buf content = BUF_INIT(16 * 1024 * 1024);
    const struct casb_plugin *plugin;
    _cleanup_(freep) char *dir = NULL;
    char path[PATH_MAX + 32], from[PATH_MAX];
    int r;

    snprintf(path, sizeof path, "%s/discovery-good.so", mocks(from));
    assert_int_equal(file_read(path, &content, err), 0);
    assert_int_equal(file_private_dir("loader", 0, &dir, err), 0);
    snprintf(path, sizeof path, "%s/discovery-good.so", dir);
    assert_int_equal(file_write(path, content.data, content.len, 0755, err), 0);
    assert_int_equal(chmod(path, file_mode), 0);
    snprintf(path, sizeof path, "%s/%s", dir, beside);
    assert_int_equal(file_write_private(path, "text", 4, err), 0);
    assert_int_equal(chmod(path, beside_mode), 0);
    assert_int_equal(chmod(dir, dir_mode), 0);
    r = loader_load(dir, CASB_DISCOVERY, "good", &plugin, err);
    file_remove_tree(dir, NULL);
    return r;
}

static void what_others_could_have_written_is_refused(void **state)
{
    static const struct {
        mode_t file, dir;
        const char *beside;
        mode_t beside_mode;
        int code;
    } cases[] = {
        {0755, 0755, "libown.so", 0755, 0},
        {0775, 0755, "libown.so", 0755, CASB_EDENIED},
        {0757, 0755, "libown.so", 0755, CASB_EDENIED},
        {0755, 0775, "libown.so", 0755, CASB_EDENIED},
        {0755, 0757, "libown.so", 0755, CASB_EDENIED},
        {0755, 0755, "libown.so", 0775, CASB_EDENIED},
        {0755, 0755, "libown.so.2.1", 0757, CASB_EDENIED},
        {0755, 0755, "state-other.so", 0757, 0},
        {0755, 0755, "lib.txt", 0757, 0},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct casb_error err = {0};

        assert_int_equal(
            load_copy(cases[i].file, cases[i].dir, cases[i].beside, cases[i].beside_mode, &err),
            cases[i].code);
        if (cases[i].code)
            assert_non_null(strstr(err.text, "discovery plugin 'good': "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_plugins_of_each_kind_are_loaded),
        cmocka_unit_test(every_fault_is_refused_by_its_own_text),
        cmocka_unit_test(a_file_that_is_no_object_is_refused),
        cmocka_unit_test(a_pipe_or_a_folder_is_refused_at_once),
        cmocka_unit_test(what_others_could_have_written_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
