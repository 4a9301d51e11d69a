/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/file.h"
#include "base/text.h"
#include "discovery-static/hosts_load.h"

struct fixture {
    char *folder;
    char path[512];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    assert_int_equal(file_private_dir("test-hosts", 0, &f->folder, NULL), 0);
    snprintf(f->path, sizeof f->path, "%s/hosts", f->folder);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    file_remove_tree(f->folder, NULL);
    free(f->folder);
    free(f);
    return 0;
}

static void write_text(const struct fixture *f, const char *text, size_t len)
{
    assert_int_equal(file_write(f->path, text, len, 0600, NULL), 0);
}

/* "NAME ADDRESS COMMANDS;" of every machine. */
static void describe(const struct hosts *hosts, struct buf *out)
{
    for (size_t i = 0; i < hosts->n; i++) {
        const struct host *host = &hosts->list[i];

        assert_int_equal(buf_printf(out, "%s %s", host->name, host->address), 0);
        for (size_t c = 0; c < COMMANDS; c++) {
            _cleanup_(freep) char *list =
                host->commands[c] ? json_dumps(host->commands[c], JSON_COMPACT) : NULL;

            if (list)
                assert_int_equal(buf_printf(out, " %s=%s", command_names[c], list), 0);
        }
        assert_int_equal(buf_puts(out, ";"), 0);
    }
}

/* `hosts` is what is read; or `error` follows the file's path. */
static const struct {
    const char *file, *hosts, *error;
} files[] = {
    {"", "", NULL},
    {"\n# nothing\n   # here\n", "", NULL},
    {"b 192.0.2.2\na 192.0.2.1:8082", "a 192.0.2.1:8082;b 192.0.2.2;", NULL},
    {"  a\t\t192.0.2.1  # the first\r\n", "a 192.0.2.1;", NULL},
    {"a.b-c_9 host.example:1", "a.b-c_9 host.example:1;", NULL},
    {"a [2001:db8::1]:8081\nb ::1\n", "a [2001:db8::1]:8081;b ::1;", NULL},
    {"a h spawn=[\"ssh\", \"{name}\"] identify=[] # on\n",
     "a h spawn=[\"ssh\",\"{name}\"] identify=[];", NULL},
    {"a h remove=[\"a # b\"]\n", "a h remove=[\"a # b\"];", NULL},
    {"a h\nb\n", NULL, ":2:2: an address is missing"},
    {"a h\n b # c\n", NULL, ":2:4: an address is missing"},
    {"-a h\n", NULL,
     ":1:1: a name is letters, digits, '-', '.' and '_', with a letter or digit in front"},
    {"a/b h\n", NULL,
     ":1:1: a name is letters, digits, '-', '.' and '_', with a letter or digit in front"},
    {"\n\na h:x\n", NULL, ":3:3: an address is HOST or HOST:PORT"},
    {"a -h\n", NULL, ":1:3: an address is HOST or HOST:PORT"},
    {"a h start=[]\n", NULL,
     ":1:5: expected spawn=LIST, remove=LIST, identify=LIST or notify=LIST"},
    {"a h spawn [\"x\"]\n", NULL,
     ":1:5: expected spawn=LIST, remove=LIST, identify=LIST or notify=LIST"},
    {"a h spawn=ssh x\n", NULL, ":1:11: expected a JSON list, such as [\"ssh\", \"x\"]"},
    {"a h spawn=[\"x\"\nb h\n", NULL, ":1:11: expected a JSON list, such as [\"ssh\", \"x\"]"},
    {"a h spawn={}\n", NULL, ":1:11: a command is a list of texts"},
    {"a h spawn=[1]\n", NULL, ":1:11: a command is a list of texts, a program in front"},
    {"a h spawn=[\"\"]\n", NULL, ":1:11: a command is a list of texts, a program in front"},
    {"a h spawn=[\"x\\u0000y\"]\n", NULL, ":1:11: a command cannot have NUL characters"},
    {"a h spawn=[\"x\",\"\\u0000\"]\n", NULL, ":1:11: a command cannot have NUL characters"},
    {"a h spawn=[\"x\"]y\n", NULL, ":1:11: something follows the list"},
    {"a h spawn=[] spawn=[]\n", NULL, ":1:14: the command is given twice"},
    {"b h\na h\n\nb i\n", NULL, ":4:1: 'b' is given twice, first at "},
};

static void a_hosts_file_is_a_machine_a_line(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ELEMENTS(files); i++) {
        _cleanup_(hosts_free) struct hosts hosts = {0};
        _cleanup_(buf_free) struct buf got = BUF_INIT(4096);
        struct casb_error err = {0};
        int r;

        write_text(f, files[i].file, strlen(files[i].file));
        r = hosts_load(NULL, f->path, &hosts, &err);
        describe(&hosts, &got);
        assert_string_equal(buf_text(&got), files[i].hosts ? files[i].hosts : "");
        assert_int_equal(r, files[i].error ? CASB_EINVALID : 0);
        if (files[i].error) {
            assert_int_equal(strncmp(err.text, f->path, strlen(f->path)), 0);
            assert_non_null(strstr(err.text, files[i].error));
        }
    }
}

static void a_file_of_other_bytes_is_refused(void **state)
{
    struct fixture *f = *state;
    struct hosts hosts = {0};
    struct casb_error err = {0};

    write_text(f, "a h\n\0b h\n", 9);
    assert_int_equal(hosts_load(NULL, f->path, &hosts, &err), CASB_EINVALID);
    assert_non_null(strstr(err.text, "it is no text file"));
}

static void a_missing_file_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct hosts hosts = {0};

    assert_int_equal(hosts_load(NULL, f->path, &hosts, NULL), CASB_ENOTFOUND);
}

static const struct {
    const char *list, *hosts, *error;
} lists[] = {
    {"[]", "", NULL},
    {"[{\"name\":\"b\",\"address\":\"h\"},{\"name\":\"a\",\"address\":\"i:1\",\"spawn\":[\"x\"]}]",
     "a i:1 spawn=[\"x\"];b h;", NULL},
    {"[1]", NULL, "hosts[0]: expected a map with name and address"},
    {"[{\"name\":\"a\"}]", NULL, "hosts[0]: an address is missing"},
    {"[{\"address\":\"a\"}]", NULL, "hosts[0]: a name is missing"},
    {"[{\"name\":\"a\",\"address\":\"a b\"}]", NULL,
     "hosts[0].address: an address is HOST or HOST:PORT"},
    {"[{\"name\":5,\"address\":\"a\"}]", NULL, "hosts[0].name: expected text (put it in quotes)"},
    {"[{\"name\":\"a\",\"address\":\"a\",\"port\":1}]", NULL,
     "hosts[0].port: unknown key; valid are name, address, spawn, remove, identify, notify"},
    {"[{\"name\":\"a\",\"adress\":\"a\"}]", NULL,
     "hosts[0].adress: unknown key; valid are name, address, spawn, remove, identify, notify "
     "(did you mean 'address'?)"},
    {"[{\"name\":\"a\",\"notfy\":[]}]", NULL,
     "hosts[0].notfy: unknown key; valid are name, address, spawn, remove, identify, notify "
     "(did you mean 'notify'?)"},
    {"[{\"name\":\"a\",\"address\":\"a\",\"remove\":\"rm\"}]", NULL,
     "hosts[0].remove: a command is a list of texts"},
    {"[{\"name\":\"a\",\"address\":\"a\"},{\"name\":\"a\",\"address\":\"b\"}]", NULL,
     "hosts[1]: 'a' is given twice, first at hosts[0]"},
};

static void hosts_in_settings_are_maps(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(lists); i++) {
        json_auto_t *list = json_loads(lists[i].list, 0, NULL);
        _cleanup_(hosts_free) struct hosts hosts = {0};
        _cleanup_(buf_free) struct buf got = BUF_INIT(4096);
        struct casb_error err = {0};
        int r = hosts_load(list, NULL, &hosts, &err);

        describe(&hosts, &got);
        assert_string_equal(err.text, lists[i].error ? lists[i].error : "");
        assert_string_equal(buf_text(&got), lists[i].hosts ? lists[i].hosts : "");
        assert_int_equal(r, lists[i].error ? CASB_EINVALID : 0);
    }
}

static void a_name_in_settings_and_file_is_given_twice(void **state)
{
    struct fixture *f = *state;
    json_auto_t *list = json_loads("[{\"name\":\"a\",\"address\":\"h\"}]", 0, NULL);
    struct hosts hosts = {0};
    struct casb_error err = {0};

    write_text(f, "b h\na h\n", 8);
    assert_int_equal(hosts_load(list, f->path, &hosts, &err), CASB_EINVALID);
    assert_non_null(strstr(err.text, ":2:1: 'a' is given twice, first at hosts[0]"));
}

static void a_machine_is_found_by_its_name(void **state)
{
    struct fixture *f = *state;
    struct hosts hosts = {0};

    assert_null(hosts_find(&hosts, "a"));
    write_text(f, "c h3\na h1\nb h2\n", 15);
    assert_int_equal(hosts_load(NULL, f->path, &hosts, NULL), 0);
    assert_string_equal(hosts_find(&hosts, "b")->address, "h2");
    assert_string_equal(hosts_find(&hosts, "c")->address, "h3");
    assert_null(hosts_find(&hosts, "d"));
    hosts_free(&hosts);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(a_hosts_file_is_a_machine_a_line),
        WITH_FILE(a_file_of_other_bytes_is_refused),
        WITH_FILE(a_missing_file_is_an_error),
        cmocka_unit_test(hosts_in_settings_are_maps),
        WITH_FILE(a_name_in_settings_and_file_is_given_twice),
        WITH_FILE(a_machine_is_found_by_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
