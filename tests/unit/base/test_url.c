/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/url.h"

#include <cas-backup/error.h>

static void urls_are_taken_apart(void **state)
{
    static const struct {
        const char *text, *origin, *userinfo, *host;
        unsigned port;
        const char *path;
    } table[] = {
        {"https://a", "https://a", NULL, "a", 443, ""},
        {"https://a:", "https://a", NULL, "a", 443, ""},
        {"https://a:/x", "https://a", NULL, "a", 443, "/x"},
        {"https://a:6443/x/y?z#f", "https://a:6443", NULL, "a", 6443, "/x/y?z#f"},
        {"https://a?b", "https://a", NULL, "a", 443, "?b"},
        {"https://a#b", "https://a", NULL, "a", 443, "#b"},
        {"HTTPS://A.Example:443", "https://A.Example", NULL, "A.Example", 443, ""},
        {"hTTp://a", "http://a", NULL, "a", 80, ""},
        {"http://a:443", "http://a:443", NULL, "a", 443, ""},
        {"https://a.:6443/", "https://a.:6443", NULL, "a.", 6443, "/"},
        {"https://a.", "https://a.", NULL, "a.", 443, ""},
        {"https://[::1]", "https://[::1]", NULL, "::1", 443, ""},
        {"https://[::1]:", "https://[::1]", NULL, "::1", 443, ""},
        {"https://[2001:db8::1]:6443/x", "https://[2001:db8::1]:6443", NULL, "2001:db8::1", 6443,
         "/x"},
        {"https://me@a", "https://a", "me", "a", 443, ""},
        {"https://me:pa:ss@w@a:1/@", "https://a:1", "me:pa:ss@w", "a", 1, "/@"},
        {"https://@a", "https://a", "", "a", 443, ""},
        {"https://a/me@b", "https://a", NULL, "a", 443, "/me@b"},
        {"socks5://a", "socks5://a", NULL, "a", 1080, ""},
        {"socks5h://a:1", "socks5h://a:1", NULL, "a", 1, ""},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        char origin[URL_ORIGIN_BYTES], userinfo[32];
        struct url url;

        if (url_parse(table[i].text, &url))
            fail_msg("%s is refused", table[i].text);
        assert_string_equal(url_origin(origin, &url), table[i].origin);
        assert_string_equal(url.host, table[i].host);
        assert_int_equal(url.port, table[i].port);
        assert_string_equal(url.path, table[i].path);
        assert_int_equal(!url.userinfo, !table[i].userinfo);
        if (url.userinfo) {
            snprintf(userinfo, sizeof userinfo, "%.*s", (int)url.userinfo_len, url.userinfo);
            assert_string_equal(userinfo, table[i].userinfo);
        }
    }
}

static void what_is_no_url_is_refused(void **state)
{
    static const char *const table[] = {"",
                                        "a",
                                        "a:80",
                                        "https:",
                                        "https:/a",
                                        "https://",
                                        "https://:80",
                                        "https:///a",
                                        "https://?",
                                        "ftp://a",
                                        "//a",
                                        "https//a",
                                        "https://a b",
                                        "https://a:b",
                                        "https://a:0",
                                        "https://me@",
                                        "https://a..",
                                        "https://[::1",
                                        "https://[a]",
                                        "https://::1:x",
                                        "https://.",
                                        "httpsx://a",
                                        "xhttps://a",
                                        " https://a",
                                        "https://a:65536",
                                        "socks6://a",
                                        "http://a\n",
                                        "https://1.2.3",
                                        "https://1.2.3.4."};
    struct url url = {.port = 7};
    char text[600] = "https://";

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++)
        if (url_parse(table[i], &url) != CASB_EINVALID)
            fail_msg("'%s' is taken", table[i]);
    memset(text + 8, 'a', 400);
    assert_int_equal(url_parse(text, &url), CASB_EINVALID);
    assert_int_equal(url.port, 7);
}

static void credentials_are_decoded(void **state)
{
    static const struct {
        const char *text, *user, *password;
        int rc;
    } table[] = {
        {"https://me@a", "me", NULL, 0},
        {"https://me:@a", "me", "", 0},
        {"https://:pw@a", "", "pw", 0},
        {"https://m%65:p%3Aw%40%2f:x@a", "me", "p:w@/:x", 0},
        {"https://m%00:x@a", NULL, NULL, CASB_EINVALID},
        {"https://m:%00x@a", NULL, NULL, CASB_EINVALID},
        {"https://m:%4@a", NULL, NULL, CASB_EINVALID},
        {"https://m:%@a", NULL, NULL, CASB_EINVALID},
        {"https://m%zz@a", NULL, NULL, CASB_EINVALID},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        char *user = NULL, *password = NULL;
        struct url url;

        assert_int_equal(url_parse(table[i].text, &url), 0);
        assert_int_equal(url_credentials(&url, &user, &password), table[i].rc);
        assert_int_equal(!user, !table[i].user);
        assert_int_equal(!password, !table[i].password);
        if (user)
            assert_string_equal(user, table[i].user);
        if (password)
            assert_string_equal(password, table[i].password);
        free(user);
        free(password);
    }
}

static void passwords_are_not_shown(void **state)
{
    static const struct {
        const char *text, *shown;
    } table[] = {
        {"https://a/x", "https://a/x"},
        {"https://me:secret@a:1/x", "https://***@a:1/x"},
        {"me:secret@a", "***@a"},
        {"https://me:sec/ret@a", "https://***@a"},
        {"https://me:sec@ret@a", "https://***@a"},
        {"ftp://me:secret@a", "ftp://***@a"},
        {"https:/me:secret@a", "***@a"},
        {"me:secret@https://a", "***@https://a"},
        {"https://me:secret@", "https://***@"},
        {"a\nb", "a b"},
        {"", ""},
    };
    char out[40];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(table); i++)
        assert_string_equal(url_clean(out, sizeof out, table[i].text), table[i].shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(what_is_no_url_is_refused),
        cmocka_unit_test(credentials_are_decoded),
        cmocka_unit_test(passwords_are_not_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
