/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/proxy.h"

/* What golang.org/x/net/http/httpproxy does with them. */
static void no_proxy_is_matched_as_go_does(void **state)
{
    static const struct {
        const char *list, *host;
        unsigned port;
        bool excluded;
    } table[] = {
        {"", "a.example", 443, false},
        {",, ,", "a.example", 443, false},
        {"*", "a.example", 443, true},
        {"*", "192.0.2.1", 443, true},
        {"x, * ,y", "a.example", 443, true},
        {"**", "a.example", 443, false},
        /* a name means itself and what is below */
        {"a.example", "a.example", 443, true},
        {"a.example", "A.Example", 443, true},
        {"A.EXAMPLE", "a.example", 443, true},
        {"a.example", "b.a.example", 443, true},
        {"a.example", "ba.example", 443, false},
        {"a.example", "example", 443, false},
        {"a.example", "a.example.org", 443, false},
        {"example", "a.example", 443, true},
        {"x,a.example", "a.example", 443, true},
        {" x , \ta.example ", "a.example", 443, true},
        {"x a.example", "a.example", 443, false},
        {"a.example;b.example", "a.example", 443, false},
        /* with a dot or "*." in front only what is below */
        {".example", "a.example", 443, true},
        {".example", "example", 443, false},
        {".a.example", "a.example", 443, false},
        {"*.a.example", "b.a.example", 443, true},
        {"*.a.example", "a.example", 443, false},
        {"*.example", "b.a.example", 443, true},
        {"*example", "a.example", 443, false},
        {"a.*", "a.example", 443, false},
        /* a final dot makes no other name */
        {"a.example", "a.example.", 443, true},
        {"a.example.", "a.example", 443, true},
        {".example", "a.example.", 443, true},
        {".", "a.example", 443, false},
        /* ports */
        {"a.example:443", "a.example", 443, true},
        {"a.example:443", "a.example", 6443, false},
        {"a.example:6443", "b.a.example", 6443, true},
        {".example:6443", "a.example", 6443, true},
        {"*.example:6443", "a.example", 443, false},
        {"a.example:", "a.example", 443, true},
        {":443", "a.example", 443, false},
        {"a.example:https", "a.example", 443, false},
        /* addresses */
        {"192.0.2.1", "192.0.2.1", 443, true},
        {"192.0.2.1", "192.0.2.11", 443, false},
        {"192.0.2.1:443", "192.0.2.1", 443, true},
        {"192.0.2.1:443", "192.0.2.1", 80, false},
        {"2.1", "192.0.2.1", 443, false},
        {".2.1", "192.0.2.1", 443, false},
        {"::ffff:192.0.2.1", "192.0.2.1", 443, true},
        {"192.0.2.1", "::ffff:192.0.2.1", 443, true},
        {"2001:db8::1", "2001:db8::1", 443, true},
        {"2001:db8::1", "2001:db8:0::0:1", 443, true},
        {"2001:db8::1", "2001:db8::2", 443, false},
        {"[2001:db8::1]:443", "2001:db8::1", 443, true},
        {"[2001:db8::1]:443", "2001:db8::1", 80, false},
        {"[2001:db8::1", "2001:db8::1", 443, false},
        /* networks */
        {"192.0.2.0/24", "192.0.2.1", 443, true},
        {"192.0.2.0/24", "192.0.3.1", 443, false},
        {"192.0.2.77/24", "192.0.2.1", 443, true},
        {"192.0.2.0/25", "192.0.2.127", 443, true},
        {"192.0.2.0/25", "192.0.2.128", 443, false},
        {"192.0.2.1/32", "192.0.2.1", 443, true},
        {"192.0.2.1/32", "192.0.2.0", 443, false},
        {"0.0.0.0/0", "203.0.113.1", 443, true},
        {"0.0.0.0/0", "2001:db8::1", 443, false},
        {"10.0.0.0/8", "10.255.0.1", 443, true},
        {"10.0.0.0/33", "10.0.0.1", 443, false},
        {"10.0.0.0/", "10.0.0.1", 443, false},
        {"10.0.0.0/x", "10.0.0.1", 443, false},
        {"10/8", "10.0.0.1", 443, false},
        {"2001:db8::/32", "2001:db8:1::1", 443, true},
        {"2001:db8::/32", "2001:db9::1", 443, false},
        {"2001:db8::/129", "2001:db8::1", 443, false},
        {"::/0", "2001:db8::1", 443, true},
        {"::/0", "192.0.2.1", 443, false},
        {"192.0.2.0/24", "a.example", 443, false},
        {"a.example/24", "a.example", 443, false},
        {"10.0.0.0/8,.svc,.cluster.local", "kubernetes.default.svc", 443, true},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++)
        if (proxy_is_excluded(table[i].list, table[i].host, (uint16_t)table[i].port) !=
            table[i].excluded)
            fail_msg("'%s', %s:%u", table[i].list, table[i].host, table[i].port);
}

static void an_entry_that_is_too_long_names_nothing(void **state)
{
    char list[600];

    (void)state;
    memset(list, 'a', sizeof list);
    memcpy(list + 500, ",b.example", 11);
    assert_true(proxy_is_excluded(list, "b.example", 443));
    list[500] = '.';
    assert_false(proxy_is_excluded(list, "b.example", 443));
}

static void the_environment_gives_a_proxy(void **state)
{
    static const struct proxy_env both = {.https = "http://s", .http = "http://p"};
    static const struct proxy_env cgi = {.https = "http://s", .http = "http://p", .cgi = true};
    static const struct proxy_env none = {.https = "", .no_proxy = "*"};
    static const struct proxy_env listed = {.https = "http://s", .no_proxy = "b,a:6443"};
    static const struct {
        const struct proxy_env *env;
        const char *server, *proxy;
        int rc;
    } table[] = {
        {&both, "https://a", "http://s", 0},
        {&both, "http://a", "http://p", 0},
        {&none, "https://a", NULL, 0},
        {&none, "http://a", NULL, 0},
        {&listed, "https://a", "http://s", 0},
        {&listed, "https://a:6443", NULL, 0},
        {&listed, "https://a.:6443", NULL, 0},
        {&listed, "https://b", NULL, 0},
        /* loopback never has one */
        {&both, "https://localhost", NULL, 0},
        {&both, "https://LocalHost.:6443", NULL, 0},
        {&both, "https://127.0.0.1:6443", NULL, 0},
        {&both, "https://127.255.0.1", NULL, 0},
        {&both, "https://[::1]", NULL, 0},
        {&both, "https://[0:0::1]:6443", NULL, 0},
        {&both, "https://[::ffff:127.0.0.1]", NULL, 0},
        {&both, "http://localhost", NULL, 0},
        {&both, "https://128.0.0.1", "http://s", 0},
        {&both, "https://[::2]", "http://s", 0},
        {&both, "https://localhost.example", "http://s", 0},
        {&both, "https://a.localhost", "http://s", 0},
        /* beside a CGI program's headers HTTP_PROXY may come from anywhere */
        {&cgi, "https://a", "http://s", 0},
        {&cgi, "http://a", NULL, CASB_EINVALID},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const char *proxy = "untouched";
        struct url server;

        assert_int_equal(url_parse(table[i].server, &server), 0);
        if (proxy_choose(table[i].env, &server, &proxy, NULL) != table[i].rc ||
            (proxy != table[i].proxy &&
             (!proxy || !table[i].proxy || strcmp(proxy, table[i].proxy))))
            fail_msg("%s: %s", table[i].server, proxy ? proxy : "none");
    }
}

static void names_of_variables_count_in_both_cases(void **state)
{
    static const char *const names[] = {"HTTPS_PROXY",    "https_proxy", "HTTP_PROXY",
                                        "http_proxy",     "NO_PROXY",    "no_proxy",
                                        "REQUEST_METHOD", "ALL_PROXY"};
    struct proxy_env env;

    (void)state;
    for (size_t i = 0; i < ELEMENTS(names); i++)
        unsetenv(names[i]);
    setenv("ALL_PROXY", "http://all", 1);
    proxy_env_read(&env);
    assert_null(env.https);
    assert_null(env.http);
    assert_null(env.no_proxy);
    assert_false(env.cgi);
    setenv("https_proxy", "1", 1);
    setenv("http_proxy", "2", 1);
    setenv("no_proxy", "3", 1);
    setenv("HTTPS_PROXY", "", 1);
    setenv("REQUEST_METHOD", "GET", 1);
    proxy_env_read(&env);
    assert_string_equal(env.https, "1");
    assert_string_equal(env.http, "2");
    assert_string_equal(env.no_proxy, "3");
    assert_true(env.cgi);
    setenv("HTTPS_PROXY", "4", 1);
    proxy_env_read(&env);
    assert_string_equal(env.https, "4");
    for (size_t i = 0; i < ELEMENTS(names); i++)
        unsetenv(names[i]);
}

static void proxies_are_brought_into_one_form(void **state)
{
    static const struct {
        const char *text, *url, *shown;
    } table[] = {
        {"http://p", "http://p:80", "http://p:80"},
        {"HTTP://p:3128/", "http://p:3128", "http://p:3128"},
        {"p", "http://p:80", "http://p:80"},
        {"p:3128", "http://p:3128", "http://p:3128"},
        {"192.0.2.1:3128", "http://192.0.2.1:3128", "http://192.0.2.1:3128"},
        {"[2001:db8::1]:3128", "http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"},
        {"https://p", "https://p:443", "https://p:443"},
        {"socks5://p", "socks5h://p:1080", "socks5://p:1080"},
        {"socks5h://p:1", "socks5h://p:1", "socks5h://p:1"},
        {"http://me:p%40w@p", "http://me:p%40w@p:80", "http://p:80"},
        {"me:pw@p:1", "http://me:pw@p:1", "http://p:1"},
        {"http://me:p@@w@p", "http://me:p%40%40w@p:80", "http://p:80"},
        {"me@org:p%40@p:1", "http://me%40org:p%40@p:1", "http://p:1"},
        {"socks5://@@p", "socks5h://%40@p:1080", "socks5://p:1080"},
        {"http://me:a b\t\"cé@p", "http://me:a%20b%09%22c%C3%A9@p:80", "http://p:80"},
    };
    static const char *const wrong[] = {"ftp://p",    "http://", "http://p:x",
                                        "socks4://p", "a b",     ""};
    char shown[URL_ORIGIN_BYTES];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        char *url;

        assert_int_equal(proxy_parse(table[i].text, "x", &url, shown, NULL), 0);
        assert_string_equal(url, table[i].url);
        assert_string_equal(shown, table[i].shown);
        free(url);
    }
    for (size_t i = 0; i < ELEMENTS(wrong); i++) {
        char *url = NULL;

        assert_int_equal(proxy_parse(wrong[i], "x", &url, shown, NULL), CASB_EINVALID);
        assert_null(url);
    }
}

static void a_proxys_password_is_in_no_message(void **state)
{
    struct casb_error err = {0};
    char shown[URL_ORIGIN_BYTES], *url;

    (void)state;
    assert_int_equal(proxy_parse("ftp://me:secret@p", "HTTPS_PROXY", &url, shown, &err),
                     CASB_EINVALID);
    assert_string_equal(err.text, "HTTPS_PROXY: 'ftp://***@p' is no http, https or socks5 URL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_proxy_is_matched_as_go_does),
        cmocka_unit_test(an_entry_that_is_too_long_names_nothing),
        cmocka_unit_test(the_environment_gives_a_proxy),
        cmocka_unit_test(names_of_variables_count_in_both_cases),
        cmocka_unit_test(proxies_are_brought_into_one_form),
        cmocka_unit_test(a_proxys_password_is_in_no_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
