/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/identity.h"
#include "discovery-static/commands.h"
#include "unit/recording_host.h"

#define KEY_A "A470CDA5245AF18EF5D8D3E1B30982A3BC74848376CA4FD03237C0F342E97239"
#define LOW_A "a470cda5245af18ef5d8d3e1b30982a3bc74848376ca4fd03237c0f342e97239"
#define BOOT  "2a3c5b1e-0f5d-4c3a-9d7e-6f1b2c3d4e5f"

/* ---- argv */

/* `want` has the words with '|' between them; NULL: an error. */
static const struct {
    const char *list, *want;
} templates[] = {
    {"[\"ssh\",\"{name}\",\"x\"]", "ssh|server-b|x"},
    {"[\"run\",\"--to={address}!\",\"{instance}-{name}{name}\"]",
     "run|--to=192.0.2.1:8081!|mycas-backup-server-bserver-b"},
    {"[\"x\",\"{{name}}\",\"{.ID}\",\"{\",\"}\",\"{nam\",\"\"]", "x|{server-b}|{.ID}|{|}|{nam|"},
    {"[\"x\",\"{NAME}\",\"$name\",\"`id`; rm *\"]", "x|{NAME}|$name|`id`; rm *"},
};

static void only_the_three_placeholders_are_replaced(void **state)
{
    const struct host host = {.name = "server-b", .address = "192.0.2.1:8081"};

    (void)state;
    for (size_t i = 0; i < ELEMENTS(templates); i++) {
        json_auto_t *list = json_loads(templates[i].list, 0, NULL);
        _cleanup_(commands_free_argvp) char **argv = NULL;
        _cleanup_(buf_free) struct buf got = BUF_INIT(1024);

        assert_int_equal(commands_expand(list, &host, "mycas-backup", NULL, &argv, NULL), 0);
        for (char **word = argv; *word; word++)
            assert_int_equal(buf_printf(&got, "%s%s", word == argv ? "" : "|", *word), 0);
        assert_string_equal(buf_text(&got), templates[i].want);
    }
}

static void what_was_put_in_is_not_looked_at_again(void **state)
{
    const struct host host = {.name = "{address}", .address = "{instance}"};
    json_auto_t *list = json_loads("[\"{name}{address}\"]", 0, NULL);
    _cleanup_(commands_free_argvp) char **argv = NULL;

    (void)state;
    assert_int_equal(commands_expand(list, &host, "i", NULL, &argv, NULL), 0);
    assert_string_equal(argv[0], "{address}{instance}");
}

static void an_address_that_is_not_known_cannot_be_put_in(void **state)
{
    const struct host host = {.name = "a"};
    json_auto_t *list = json_loads("[\"x\",\"{address}\"]", 0, NULL);
    char **argv = NULL;
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(commands_expand(list, &host, "i", NULL, &argv, &err), CASB_ENOTFOUND);
    assert_string_equal(err.text, "{address} is not known any more");
    assert_null(argv);
}

static void news_are_put_in_where_there_are_any(void **state)
{
    const struct host host = {.name = "a", .address = "h"};
    const struct commands_news news = {"failed", "{name}; rm *"};
    json_auto_t *list = json_loads("[\"x\",\"{outcome}\",\"{message}\"]", 0, NULL);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        _cleanup_(commands_free_argvp) char **argv = NULL;

        assert_int_equal(commands_expand(list, &host, "i", i ? &news : NULL, &argv, NULL), 0);
        assert_string_equal(argv[1], i ? "failed" : "{outcome}");
        assert_string_equal(argv[2], i ? "{name}; rm *" : "{message}");
    }
}

static void a_host_has_its_own_command_or_none(void **state)
{
    json_auto_t *general = json_loads("[\"general\"]", 0, NULL);
    json_auto_t *own = json_loads("[\"own\"]", 0, NULL);
    json_auto_t *none = json_array();
    const struct commands commands = {.general = {[COMMAND_SPAWN] = general}};
    struct host host = {.name = "a"};

    (void)state;
    assert_ptr_equal(commands_list(&commands, &host, COMMAND_SPAWN), general);
    assert_null(commands_list(&commands, &host, COMMAND_REMOVE));
    host.commands[COMMAND_SPAWN] = own;
    assert_ptr_equal(commands_list(&commands, &host, COMMAND_SPAWN), own);
    host.commands[COMMAND_SPAWN] = none;
    assert_null(commands_list(&commands, &host, COMMAND_SPAWN));
}

/* ---- running */

/* `error` NULL: success, and `output`. */
static const struct {
    const char *list, *output, *error;
} runs[] = {
    {"[\"sh\",\"-c\",\"echo $1; echo no >&2\",\"sh\",\"{name}\"]", "a\n", NULL},
    {"[\"sh\",\"-c\",\"echo first >&2; echo 'it broke' >&2; echo >&2; exit 3\"]", "",
     "spawn command: exit status 3: it broke"},
    {"[\"sh\",\"-c\",\"echo only out; exit 3\"]", "only out\n",
     "spawn command: exit status 3: only out"},
    {"[\"sh\",\"-c\",\"exit 255\"]", "", "spawn command: exit status 255"},
    {"[\"sh\",\"-c\",\"kill -9 $$\"]", "", "spawn command: ended by signal 9"},
};

static void the_exit_status_decides(void **state)
{
    const struct host host = {.name = "a", .address = "h"};
    const struct casb_call call = call_for(10);

    (void)state;
    for (size_t i = 0; i < ELEMENTS(runs); i++) {
        json_auto_t *list = json_loads(runs[i].list, 0, NULL);
        const struct commands commands = {"i", {[COMMAND_SPAWN] = list}};
        _cleanup_(process_result_free) struct process_result result = {0};
        struct casb_error err = {0};
        int r = commands_run(&commands, &call, &host, COMMAND_SPAWN, NULL, &result, &err);

        assert_string_equal(err.text, runs[i].error ? runs[i].error : "");
        assert_int_equal(r, runs[i].error ? CASB_EFAILED : 0);
        assert_string_equal(buf_text(&result.out), runs[i].output);
    }
}

static void commands_get_our_environment(void **state)
{
    const struct host host = {.name = "a", .address = "h"};
    const struct casb_call call = call_for(10);
    json_auto_t *list = json_loads("[\"env\"]", 0, NULL);
    const struct commands commands = {"i", {[COMMAND_SPAWN] = list}};
    _cleanup_(process_result_free) struct process_result result = {0};

    (void)state;
    assert_int_equal(setenv("SSH_AUTH_SOCK", "/nowhere/agent", 1), 0);
    assert_int_equal(commands_run(&commands, &call, &host, COMMAND_SPAWN, NULL, &result, NULL), 0);
    assert_non_null(strstr(buf_text(&result.out), "SSH_AUTH_SOCK=/nowhere/agent\n"));
}

static void a_missing_program_is_not_found(void **state)
{
    const struct host host = {.name = "a", .address = "h"};
    const struct casb_call call = call_for(10);
    json_auto_t *list = json_loads("[\"no-such-program-here\"]", 0, NULL);
    const struct commands commands = {"i", {[COMMAND_REMOVE] = list}};
    _cleanup_(process_result_free) struct process_result result = {0};
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(commands_run(&commands, &call, &host, COMMAND_REMOVE, NULL, &result, &err),
                     CASB_ENOTFOUND);
    assert_non_null(strstr(err.text, "remove command: "));
    assert_non_null(strstr(err.text, "no-such-program-here"));
}

/* ---- what they print */

/* `want` NULL: no address. */
static const struct {
    const char *output, *want;
} addresses[] = {
    {"192.0.2.7", "192.0.2.7:8081"},
    {"192.0.2.7:9000\n", "192.0.2.7:9000"},
    {" cas.example:8081 \r\nmore\n", "cas.example:8081"},
    {"2001:db8::1\n", "[2001:db8::1]:8081"},
    {"[2001:db8::1]:8081\n", "[2001:db8::1]:8081"},
    {"", NULL},
    {"\n192.0.2.7\n", NULL},
    {"started\n", NULL},
    {"cas.example\n", NULL},
    {"192.0.2.7:0\n", NULL},
    {"192.0.2.7:99999\n", NULL},
    {"Container a started\n", NULL},
    {LOW_A "\n", NULL},
};

static void an_address_is_the_first_line_if_it_can_be_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(addresses); i++) {
        char address[CASB_ADDRESS_LENGTH + 1] = "untouched";
        bool found = commands_parse_address(addresses[i].output, address);

        assert_string_equal(address, addresses[i].want ? addresses[i].want : "untouched");
        assert_true(found == (addresses[i].want != NULL));
    }
}

static const struct {
    const char *output;
    struct casb_identity want; /* none: refused */
} identities[] = {
    {KEY_A, {CASB_LAS_KEY, KEY_A}},
    {"\n  " LOW_A "\r\n\n", {CASB_LAS_KEY, KEY_A}},
    {BOOT "\n", {CASB_BOOT_ID, BOOT}},
    {"2A3C5B1E-0F5D-4C3A-9D7E-6F1B2C3D4E5F", {CASB_BOOT_ID, BOOT}},
    {"STARTER: SCONE QE has MRENCLAVE " LOW_A "\nSTARTER: SCONE QE has public key " LOW_A
     "\nmore\n",
     {CASB_LAS_KEY, KEY_A}},
    {"", {0}},
    {"ok\n", {0}},
    {KEY_A "0", {0}},
    {BOOT "0", {0}},
    {"2a3c5b1e-0f5d-4c3a-9d7e 6f1b2c3d4e5f", {0}},
    {KEY_A "\n" KEY_A, {0}},
};

static void an_identity_is_told_by_its_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(identities); i++) {
        const char *output = identities[i].output;
        struct casb_machine machine = {.las = {CASB_LAS_KEY, "untouched"}};
        struct casb_error err = {0};
        int r = commands_parse_identity(output, strlen(output), &machine, &err);

        assert_int_equal(r, identities[i].want.kind ? 0 : CASB_EINVALID);
        if (r)
            assert_string_equal(machine.las.text, "untouched");
        else
            assert_int_equal(
                identity_compare(&identities[i].want, identities[i].want.kind == CASB_BOOT_ID
                                                          ? &machine.boot
                                                          : &machine.las),
                IDENTITY_SAME);
        assert_true(r == 0 || strstr(err.text, "identify command: "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_three_placeholders_are_replaced),
        cmocka_unit_test(what_was_put_in_is_not_looked_at_again),
        cmocka_unit_test(an_address_that_is_not_known_cannot_be_put_in),
        cmocka_unit_test(news_are_put_in_where_there_are_any),
        cmocka_unit_test(a_host_has_its_own_command_or_none),
        cmocka_unit_test(the_exit_status_decides),
        cmocka_unit_test(commands_get_our_environment),
        cmocka_unit_test(a_missing_program_is_not_found),
        cmocka_unit_test(an_address_is_the_first_line_if_it_can_be_nothing_else),
        cmocka_unit_test(an_identity_is_told_by_its_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
