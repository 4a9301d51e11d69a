/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/redact.h"
#include "base/text.h"

static const struct {
    const char *line, *want;
} lines[] = {
    {"", ""},
    {"nothing to hide", "nothing to hide"},
    {"https://user:secret@proxy:3128/x", "https://***@proxy:3128/x"},
    {"via http://secret@proxy, then", "via http://***@proxy, then"},
    {"'https://a:b@c@host' and socks5://d:e@f", "'https://***@host' and socks5://***@f"},
    {"https://u:p%20w@[::1]:1/", "https://***@[::1]:1/"},
    {"https://host:8443/", "https://host:8443/"},
    {"https://host:8443", "https://host:8443"},
    {"https://[2001:db8::1]:443", "https://[2001:db8::1]:443"},
    {"https://host/mail?to=a@b.c", "https://host/mail?to=a@b.c"},
    {"no scheme: a@b.c", "no scheme: a@b.c"},
    {"cut: https://user:secr", "cut: https://***"},
    {"cut: https://user:secr...", "cut: https://***"},
    {"cut: https://user:12ab", "cut: https://***"},
    {"https://host:x y", "https://host:x y"},
    {"Authorization: Bearer abc", "Authorization: Bearer ***"},
    {"authorization: bearer abc def", "authorization: bearer *** def"},
    {"Authorization: Basic dXNlcjpwdw== Host: x", "Authorization: Basic *** Host: x"},
    {"Proxy-Authorization: Basic ab", "Proxy-Authorization: Basic **"},
    {"{\"Authorization\":[\"Bearer abc\"],\"x\":1}",
     "{\"Authorization\":[\"Bearer ***\"],\"x\":1}"},
    {"{\\\"Authorization\\\": \\\"Bearer abc\\\"}", "{\\\"Authorization\\\": \\\"Bearer ***\\\"}"},
    {"Authorization=Token abc", "Authorization=Token ***"},
    {"authorization: 0123abc", "authorization: ***"},
    {"authorization: denied for user x", "authorization: denied for user x"},
    {"authorization failed: Bearer sandbox", "authorization failed: Bearer ***"},
    {"got bearer x0y1", "got bearer ***"},
    {"invalid bearer token, expired", "invalid bearer token, expired"},
    {"Bearer token expired", "Bearer token expired"},
    {"Basic authentication is off", "Basic authentication is off"},
    {"the basic idea", "the basic idea"},
    {"digest sha256:0123456789abcdef0123", "digest sha256:0123456789abcdef0123"},
    {"token eyJhbGciOiJSUzI1NiJ9.e30.c2ln.", "token ***"},
    {"eyJ is short", "eyJ is short"},
    {"Bearer", "Bearer"},
    {"Bearer ", "Bearer "},
    /* as JSON, another URL, or a relative one has them */
    {"https:\\/\\/user:secret@host\\/", "https:\\/\\/***@host\\/"},
    {"x=https%3A%2f%2Fuser%3Asecret%40host", "x=https%3A%2f%2F***%40host"},
    {"//user:secret@host/x", "//***@host/x"},
    {"a//b:c d", "a//b:c d"},
    {"Authorization: Bearer\\tabc", "Authorization: Bearer\\t***"},
    {"{\"authorization\":\"Bearer\\u0020abc\"}", "{\"authorization\":\"Bearer\\u0020***\"}"},
    {"Authorization: ApiKey 0123456789abcdef", "Authorization: *** ***"},
    {"CAS provisioning token: 2fd4e1c67a2d28fc", "CAS provisioning token: ***"},
    {"the provisioning token is secret", "the provisioning token is secret"},
    /* what is hidden was where something else ended */
    {"https://u:5eyJ0123456789abcdef/x", "https://***"},
    {"https://u:p,authorization:c/d", "https://***"},
};

static void credentials_are_overwritten_and_the_rest_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(lines); i++) {
        _cleanup_(freep) char *line = strdup(lines[i].line);

        assert_non_null(line);
        redact(line);
        assert_string_equal(line, lines[i].want);
        redact(line);
        assert_string_equal(line, lines[i].want);
    }
}

/* What is shown is cleaned, and so it is redacted: also where it had to be cut. */
static void what_is_cleaned_is_redacted(void **state)
{
    char out[40];

    (void)state;
    assert_string_equal(text_clean(out, sizeof out, "Authorization:\r\n Bearer\tabc"),
                        "Authorization: Bearer ***");
    assert_string_equal(text_clean(out, sizeof out, "dialled https://user:a-long-password@host"),
                        "dialled https://***");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_overwritten_and_the_rest_stays),
        cmocka_unit_test(what_is_cleaned_is_redacted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
