/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "unit/chaos.h"

#include "base/cleanup.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "base/tls.h"
#include "common/cas/config.h"

#include <sys/stat.h>

/* A folder of the test's own, with the configuration in it. */
struct fixture {
    char home[64];
    char path[128];
    json_t *sample;
};

static void write_text(const char *path, const char *text, size_t len)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void write_tree(const char *path, const json_t *tree)
{
    char *text = json_dumps(tree, JSON_INDENT(2));

    assert_non_null(text);
    write_text(path, text, strlen(text));
    free(text);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char name[512];

    assert_non_null(f);
    snprintf(f->home, sizeof f->home, "/tmp/test_cas_config.XXXXXX");
    assert_non_null(mkdtemp(f->home));
    snprintf(f->path, sizeof f->path, "%s/file.json", f->home);
    f->sample = json_load_file(unit_data(name, sizeof name, "cas-config/config.json"), 0, NULL);
    assert_non_null(f->sample);
    write_tree(f->path, f->sample);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char path[128];

    unlink(f->path);
    snprintf(path, sizeof path, "%s/.cas/config.json", f->home);
    unlink(path);
    snprintf(path, sizeof path, "%s/.cas/config", f->home);
    unlink(path);
    snprintf(path, sizeof path, "%s/.cas", f->home);
    rmdir(path);
    assert_int_equal(rmdir(f->home), 0);
    json_decref(f->sample);
    free(f);
    return 0;
}

static const char *sample_chain(const struct fixture *f)
{
    return jsonx_string(f->sample, "cas_db.mycas.chain");
}

static void the_default_cas_is_the_primary(void **state)
{
    const struct fixture *f = *state;
    _cleanup_(cas_config_freep) struct cas_config *config = NULL;
    struct casb_error err = {0};
    char id[65];

    assert_int_equal(cas_config_load(f->path, NULL, false, &config, &err), 0);
    assert_string_equal(config->name, "mycas");
    assert_string_equal(config->url, "https://mycas:8081");
    assert_string_equal(config->primary.address, "mycas");
    assert_null(config->dial);
    assert_int_equal(tls_chain_sha256(sample_chain(f), id, &err), 0);
    assert_string_equal(config->primary.id, id);
    assert_non_null(strstr(config->key, "PRIVATE KEY"));
    assert_null(strstr(config->cert, "PRIVATE KEY"));
    assert_non_null(strstr(buf_text(&config->text), "\"identity\""));
}

static void a_cas_is_found_by_name_or_by_the_address_of_its_url(void **state)
{
    static const struct {
        const char *cas, *name, *address, *dial;
    } rows[] = {
        {"mycas", "mycas", "mycas", NULL},
        {"mycas:8081", "mycas", "mycas:8081", NULL},
        {"MyCas:8081", "mycas", "MyCas:8081", NULL},
        {"expired", "expired", "expired", NULL},
        {"old.example.org:9081", "expired", "old.example.org:9081", NULL},
        {"MyCas.", "mycas", "MyCas.", "MyCas.:8081"},
        {"mycas.:8081", "mycas", "mycas.:8081", "mycas.:8081"},
        {"mycas:", "mycas", "mycas:", NULL},
        {"192.0.2.7", "mycas", "192.0.2.7", "192.0.2.7:8081"},
        {"192.0.2.7:9999", "mycas", "192.0.2.7:9999", "192.0.2.7:9999"},
        {"[2001:db8::1]:8081", "mycas", "[2001:db8::1]:8081", "[2001:db8::1]:8081"},
        {"old.example.org", "mycas", "old.example.org", "old.example.org:8081"},
    };
    const struct fixture *f = *state;

    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        _cleanup_(cas_config_freep) struct cas_config *config = NULL;
        struct casb_error err = {0};

        assert_int_equal(cas_config_load(f->path, rows[i].cas, true, &config, &err), 0);
        assert_string_equal(config->name, rows[i].name);
        assert_string_equal(config->primary.address, rows[i].address);
        assert_true(text_equal(config->dial, rows[i].dial));
    }
}

static void a_port_that_is_not_the_usual_one_belongs_to_the_address(void **state)
{
    const struct fixture *f = *state;
    _cleanup_(cas_config_freep) struct cas_config *config = NULL;
    struct casb_error err = {0};

    json_object_set_new(f->sample, "default_cas", json_string("expired"));
    write_tree(f->path, f->sample);
    assert_int_equal(cas_config_load(f->path, NULL, false, &config, &err), 0);
    assert_string_equal(config->primary.address, "old.example.org:9081");
}

static void errors_name_the_file_and_the_key(void **state)
{
    static const struct {
        const char *patch, *cas, *text;
    } rows[] = {
        {"{\"cas_db\": null}", NULL, "cas_db is missing or not an object"},
        {"{\"cas_db\": [1]}", NULL, "cas_db is missing or not an object"},
        {"{\"default_cas\": null}", NULL, "default_cas is missing"},
        {"{\"default_cas\": 7}", NULL, "default_cas is not a text"},
        {"{\"default_cas\": \"gone\"}", NULL, "cas_db has no CAS 'gone'"},
        {"{\"cas_db\": {\"mycas\": \"x\"}}", NULL, "cas_db has no CAS 'mycas'"},
        {"{}", "192.0.2.7", "cas_db has no CAS '192.0.2.7': attest it with 'scone cas attest'"},
        {"{}", "unattested", "cas_db 'unattested': not attested: chain is missing"},
        {"{\"cas_db\": {\"mycas\": {\"chain\": \"\"}}}", NULL, "chain is not a text"},
        {"{\"cas_db\": {\"mycas\": {\"chain\": \"x\"}}}", NULL, "cas_db 'mycas': chain: "},
        {"{\"cas_db\": {\"mycas\": {\"url\": null}}}", NULL, "cas_db 'mycas': url is missing"},
        {"{\"cas_db\": {\"mycas\": {\"url\": \"http://mycas:8081\"}}}", NULL,
         "url is not of the form https://HOST:PORT/"},
        {"{\"cas_db\": {\"mycas\": {\"url\": \"mycas\"}}}", NULL, "url is not of the form"},
        {"{\"cas_db\": {\"mycas\": {\"url\": \"https://a@mycas/\"}}}", NULL, "url is not of the"},
        {"{\"identity\": null}", NULL, "identity is missing or not a text"},
        {"{\"identity\": \"x\"}", NULL, "identity: "},
    };
    const struct fixture *f = *state;

    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        json_auto_t *tree = json_deep_copy(f->sample);
        json_auto_t *patch = json_loads(rows[i].patch, 0, NULL);
        struct cas_config *config = NULL;
        struct casb_error err = {0};

        assert_int_equal(jsonx_merge_patch(&tree, patch), 0);
        write_tree(f->path, tree);
        assert_int_equal(cas_config_load(f->path, rows[i].cas, false, &config, &err),
                         CASB_EINVALID);
        assert_int_equal(err.code, CASB_EINVALID);
        assert_null(config);
        if (!strstr(err.text, rows[i].text) || !strstr(err.text, f->path))
            fail_msg("'%s' is not in '%s'", rows[i].text, err.text);
    }
}

static void without_memory_there_is_an_error_and_no_leak(void **state)
{
    const struct fixture *f = *state;
    struct cas_config *config = NULL;
    int r = CASB_ENOMEM;

    for (int n = 0; r < 0; n++) {
        struct casb_error err = {0};

        chaos_left = n;
        r = cas_config_load(f->path, "192.0.2.7", true, &config, &err);
        chaos_left = -1;
        assert_true(r == 0 || r == CASB_ENOMEM);
        assert_int_equal(err.code, r);
    }
    assert_non_null(config);
    cas_config_free(config);
}

static void a_file_that_is_not_there_is_a_wrong_setting(void **state)
{
    struct cas_config *config = NULL;
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(cas_config_load("/nowhere/config.json", NULL, false, &config, &err),
                     CASB_EINVALID);
    assert_non_null(strstr(err.text, "/nowhere/config.json"));
    assert_non_null(strstr(err.text, "No such file"));
}

/* Cut at every byte, also in the middle of the key: an error each time, and never with the key. */
static void a_damaged_file_never_shows_the_key(void **state)
{
    const struct fixture *f = *state;
    _cleanup_(freep) char *text = json_dumps(f->sample, 0);
    const char *key = strstr(text, "PRIVATE KEY-----\\n") + strlen("PRIVATE KEY-----\\n");
    size_t len = strlen(text);

    for (size_t cut = 1; cut < len; cut++) {
        struct cas_config *config = NULL;
        struct casb_error err = {0};

        write_text(f->path, text, cut);
        assert_int_equal(cas_config_load(f->path, NULL, false, &config, &err), CASB_EINVALID);
        assert_non_null(strstr(err.text, f->path));
        for (size_t i = 0; i < 48; i += 8) {
            char piece[9];

            snprintf(piece, sizeof piece, "%.8s", key + i);
            assert_null(strstr(err.text, piece));
        }
    }
}

static void a_key_given_twice_is_an_error(void **state)
{
    static const char twice[] = "{\"default_cas\": \"a\",\n \"default_cas\": \"b\"}";
    const struct fixture *f = *state;
    struct cas_config *config = NULL;
    struct casb_error err = {0};

    write_text(f->path, twice, sizeof twice - 1);
    assert_int_equal(cas_config_load(f->path, NULL, false, &config, &err), CASB_EINVALID);
    assert_non_null(strstr(err.text, "line 2"));
    assert_non_null(strstr(err.text, "duplicate"));
}

static void expect_path(const char *given, const char *want)
{
    _cleanup_(freep) char *path = NULL;
    struct casb_error err = {0};

    assert_int_equal(cas_config_path(given, &path, &err), 0);
    assert_string_equal(path, want);
}

static void the_file_is_looked_for_where_the_cli_keeps_it(void **state)
{
    const struct fixture *f = *state;
    char folder[128], newer[160], older[160];
    _cleanup_(freep) char *path = NULL;
    struct casb_error err = {0};

    snprintf(folder, sizeof folder, "%s/.cas", f->home);
    snprintf(newer, sizeof newer, "%s/config.json", folder);
    snprintf(older, sizeof older, "%s/config", folder);
    assert_int_equal(setenv("HOME", f->home, 1), 0);
    expect_path("/etc/x", "/etc/x");
    expect_path(NULL, newer);
    assert_int_equal(mkdir(folder, 0700), 0);
    write_text(older, "{}", 2);
    expect_path(NULL, older);
    write_text(newer, "{}", 2);
    expect_path(NULL, newer);
    assert_int_equal(unsetenv("HOME"), 0);
    assert_int_equal(cas_config_path(NULL, &path, &err), CASB_EINVALID);
    assert_non_null(strstr(err.text, "--config"));
}

static void a_session_is_known_by_its_address_and_policy(void **state)
{
    static const struct {
        const char *address, *session;
        bool same; /* as mycas and policy/register */
    } rows[] = {
        {"mycas", "policy/upgrade", true},       {"mycas:8081", "policy/register", true},
        {"MyCAS", "policy/register", true},      {"mycas:8082", "policy/register", false},
        {"other", "policy/register", false},     {"mycas", "policies/register", false},
        {"mycas", "policy/sub/register", false}, {"mycas", "Policy/register", false},
        {"mycas.cas", "policy/register", false},
    };
    struct casb_primary a, b;
    struct casb_error err = {0};

    (void)state;
    assert_int_equal(cas_session_primary("mycas", "policy/register", &a, &err), 0);
    assert_string_equal(a.address, "mycas");
    assert_int_equal(strlen(a.id), CASB_PRIMARY_ID_LENGTH);
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        assert_int_equal(cas_session_primary(rows[i].address, rows[i].session, &b, &err), 0);
        assert_string_equal(b.address, rows[i].address);
        if ((strcmp(a.id, b.id) == 0) != rows[i].same)
            fail_msg("%s %s", rows[i].address, rows[i].session);
    }
    assert_int_equal(cas_session_primary("mycas", "policy", &b, &err), CASB_EINVALID);
}

static void a_cas_may_be_named_by_an_address(void **state)
{
    static const struct {
        const char *key, *default_cas, *cas;
        bool found;
    } rows[] = {
        {"mycas.scone:8081", "mycas.scone:8081", NULL, true},
        {"mycas.scone:8081", "mycas.scone", NULL, true},
        {"mycas.scone", "mycas.scone:8081", NULL, true},
        {"mycas.scone:8081", "mycas.scone:8081", "mycas.scone", true},
        {"mycas.scone:8081", "mycas.scone:8081", "MyCAS.scone:8081", true},
        {"10.0.0.1:8081", "10.0.0.1:8081", "10.0.0.1", true},
        {"[2001:db8::1]:8081", "2001:db8::1", NULL, true},
        {"anything", "mycas:8081", NULL, true}, /* as its URL has it */
        {"mycas.scone:8081", "mycas.scone:9081", NULL, false},
        {"mycas.scone:8081", "mycas.scone:8081", "mycas.other", false},
        {"mycas.scone:8081", "scone:8081", NULL, false},
    };
    const struct fixture *f = *state;

    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        _cleanup_(cas_config_freep) struct cas_config *config = NULL;
        struct casb_error err = {0};
        json_auto_t *tree = json_pack("{s:s, s:O, s:{s:O}}", "default_cas", rows[i].default_cas,
                                      "identity", json_object_get(f->sample, "identity"), "cas_db",
                                      rows[i].key, jsonx_get(f->sample, "cas_db.mycas"));
        int r;

        write_tree(f->path, tree);
        r = cas_config_load(f->path, rows[i].cas, false, &config, &err);
        if ((r == 0) != rows[i].found)
            fail_msg("row %zu: %s", i, err.text);
        if (r == 0)
            assert_string_equal(config->name, rows[i].key);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_default_cas_is_the_primary),
        TEST(a_cas_is_found_by_name_or_by_the_address_of_its_url),
        TEST(a_port_that_is_not_the_usual_one_belongs_to_the_address),
        TEST(errors_name_the_file_and_the_key),
        TEST(without_memory_there_is_an_error_and_no_leak),
        TEST(a_file_that_is_not_there_is_a_wrong_setting),
        TEST(a_damaged_file_never_shows_the_key),
        TEST(a_key_given_twice_is_an_error),
        TEST(the_file_is_looked_for_where_the_cli_keeps_it),
        TEST(a_session_is_known_by_its_address_and_policy),
        TEST(a_cas_may_be_named_by_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
