/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/buf.h"
#include "base/jsonx.h"
#include "base/yamldoc.h"

static const struct row {
    const char *scalar, *want;
} as_kubectl[] = {
    /*
     * What "kubectl annotate --local -o json" makes of them under a key of an unknown kind: printed
     * by kubectl 1.32, whose YAML has been the same since 1.0.
     */
    {"0400", "256"},
    {"-0400", "-256"},
    {"+0400", "256"},
    {"0_400", "256"},
    {"00", "0"},
    {"0", "0"},
    {"-0", "0"},
    {"+0", "0"},
    {"08", "8"},
    {"0800", "800"},
    {"-09", "-9"},
    {"010.5", "10.5"},
    {"010e1", "100"},
    {"0o400", "256"},
    {"0O17", "15"},
    {"-0o17", "-15"},
    {"+0o17", "15"},
    {"0o8", "\"0o8\""},
    {"0o", "\"0o\""},
    {"0x1F", "31"},
    {"0X1f", "31"},
    {"-0x1F", "-31"},
    {"+0x1f", "31"},
    {"0x", "\"0x\""},
    {"0xg", "\"0xg\""},
    {"0x_1F", "31"},
    {"0b1010", "10"},
    {"0B11", "3"},
    {"-0b11", "-3"},
    {"+0b11", "3"},
    {"0b2", "\"0b2\""},
    {"0b", "\"0b\""},
    {"1_000", "1000"},
    {"1__0", "10"},
    {"1_", "1"},
    {"_1", "\"_1\""},
    {"+_1", "1"},
    {"-_", "\"-_\""},
    {"1_0.5", "10.5"},
    {"1e3", "1000"},
    {"1E3", "1000"},
    {"1e+3", "1000"},
    {"1e-3", "0.001"},
    {"1e1_0", "10000000000"},
    {"1.e3", "1000"},
    {"1.", "1"},
    {".5", "0.5"},
    {"+.5", "0.5"},
    {"-.5", "-0.5"},
    {".5_0", "0.5"},
    {".5_", "\".5_\""},
    {".5__0", "\".5__0\""},
    {".5e1", "5"},
    {".", "\".\""},
    {".e1", "\".e1\""},
    {"1e", "\"1e\""},
    {"1e-400", "0"},
    {"+.nan", "\"+.nan\""},
    {"1:30", "\"1:30\""},
    {"1:30:45", "\"1:30:45\""},
    {"190:20:30.15", "\"190:20:30.15\""},
    {"2001-12-14", "\"2001-12-14\""},
    {"2001-12-14T21:59:43Z", "\"2001-12-14T21:59:43Z\""},
    {"2001-12-14 21:59:43", "\"2001-12-14 21:59:43\""},
    {"y", "true"},
    {"Y", "true"},
    {"n", "false"},
    {"N", "false"},
    {"yes", "true"},
    {"Yes", "true"},
    {"YES", "true"},
    {"yEs", "\"yEs\""},
    {"no", "false"},
    {"No", "false"},
    {"NO", "false"},
    {"on", "true"},
    {"On", "true"},
    {"ON", "true"},
    {"off", "false"},
    {"Off", "false"},
    {"OFF", "false"},
    {"true", "true"},
    {"True", "true"},
    {"TRUE", "true"},
    {"tRue", "\"tRue\""},
    {"false", "false"},
    {"False", "false"},
    {"FALSE", "false"},
    {"~", "null"},
    {"null", "null"},
    {"Null", "null"},
    {"NULL", "null"},
    {"nUll", "\"nUll\""},
    {"", "null"},
    {"''", "\"\""},
    {"\"yes\"", "\"yes\""},
    {"'0400'", "\"0400\""},
    {"!!str 0400", "\"0400\""},
    {"!!int 0400", "256"},
    {"!!float 0400", "256"},
    {"!!bool yes", "true"},
    {"!!int '0400'", "256"},
    {"!!float 1e3", "1000"},
    {"!!null ''", "null"},
    {"9223372036854775807", "9223372036854775807"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"0x7fffffffffffffff", "9223372036854775807"},
    {"1.0", "1"},
    {"-0.0", "0"},
    {"256.0", "256"},
    {"0.10", "0.1"},
    {"123456789012345678", "123456789012345678"},
    {"1e20", "100000000000000000000"},
    {"1e21", "1e+21"},
    {"1e22", "1e+22"},
    {"1.5e300", "1.5e+300"},
    {"5e-324", "5e-324"},
    {"0.000001", "0.000001"},
    {"0.0000001", "1e-7"},
    {"0.1", "0.1"},
    {"0.7", "0.7"},
    {"3.14159", "3.14159"},
    {"+", "\"+\""},
    {"1+", "\"1+\""},
    {"1-2", "\"1-2\""},
    {"12e03", "12000"},
    {"=", "\"=\""},
    {"<<", "\"<<\""},
    {"0x1p-2", "\"0x1p-2\""},
    {"0x1.8", "\"0x1.8\""},
    {"1,000", "\"1,000\""},
    {"+1", "1"},
    {"++1", "\"++1\""},
    {"+-1", "\"+-1\""},
    {"1e5_", "100000"},
    {"0_", "0"},
    {"-0_7", "-7"},
    {"0b_1", "1"},
    {"0_b1", "1"},
    {"1_0b", "\"1_0b\""},
    {"+.5_0", "0.5"},
    {"-.5_0", "-0.5"},
    {"0xA_", "10"},
    {"00.5", "0.5"},
    {"-00", "0"},
    {"0e0", "0"},
    {"0o_7", "7"},
};

/* What kubectl cannot give as JSON either, or gives as another value without a word. */
static const struct row refused[] = {
    {"1e400", "the number is too large"},
    {"-1e400", "the number is too large"},
    {".inf", "infinity and not-a-number"},
    {"+.inf", "infinity and not-a-number"},
    {"-.Inf", "infinity and not-a-number"},
    {".nan", "infinity and not-a-number"},
    {"!!int 1e3", "the tag is not supported"},
    {"!!timestamp 2001-12-14", "the tag is not supported"},
    {"!!binary aGk=", "the tag is not supported"},
    {"! yes", "the tag is not supported"},
    {"!foo yes", "the tag is not supported"},
    {"9223372036854775808", "does not fit into 64 bits"},
    {"18446744073709551615", "does not fit into 64 bits"},
    {"18446744073709551616", "does not fit into 64 bits"},
    {"-9223372036854775809", "does not fit into 64 bits"},
    {"0x8000000000000000", "does not fit into 64 bits"},
    {"01777777777777777777777", "does not fit into 64 bits"},
};

/* Parses one scalar, after `before`, and gives the error's text or the document. */
static struct yamldoc *parse(const char *before, const char *scalar, const char *after,
                             struct casb_error *err)
{
    _cleanup_(buf_free) struct buf text = BUF_INIT(4096);
    struct yamldoc *doc = NULL;

    assert_int_equal(buf_printf(&text, "%s%s%s\n", before, scalar, after), 0);
    if (yamldoc_parse(buf_text(&text), text.len, "f", &doc, err) < 0)
        assert_int_equal(err->code, CASB_EINVALID);
    return doc;
}

static void scalars_are_what_kubectl_makes_of_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(as_kubectl); i++) {
        const struct row *row = &as_kubectl[i];
        struct casb_error err = {0};
        _cleanup_(yamldoc_freep) struct yamldoc *doc = parse("a:\n- v: ", row->scalar, "", &err);
        _cleanup_(freep) char *got = NULL;
        const json_t *list;

        if (!doc)
            fail_msg("%s: %s", row->scalar, err.text);
        list = jsonx_array(yamldoc_root(doc), "a");
        assert_int_equal(jsonx_dump(jsonx_get(json_array_get(list, 0), "v"), &got, NULL), 0);
        if (strcmp(got, row->want) != 0)
            fail_msg("%s: got %s, want %s", row->scalar, got, row->want);
    }
}

static void what_json_cannot_hold_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(refused); i++) {
        struct casb_error err = {0};
        _cleanup_(yamldoc_freep) struct yamldoc *doc =
            parse("a:\n- v: ", refused[i].scalar, "", &err);

        if (doc || strncmp(err.text, "f:2:6: ", 7) != 0 || !strstr(err.text, refused[i].want))
            fail_msg("%s: got '%s', want '%s'", refused[i].scalar, err.text, refused[i].want);
    }
}

/* kubectl would take the truth value of "on" and the number of "010" for the key's text. */
static void a_key_that_is_no_text_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(as_kubectl); i++) {
        const char *scalar = as_kubectl[i].scalar;
        struct casb_error err = {0};
        _cleanup_(yamldoc_freep) struct yamldoc *doc = parse("? ", scalar, "\n: x", &err);
        bool is_text = as_kubectl[i].want[0] == '"' && strcmp(scalar, "<<") != 0;

        if ((doc != NULL) != is_text)
            fail_msg("%s: %s", scalar, err.text);
        if (!doc && strcmp(scalar, "<<") != 0)
            assert_non_null(strstr(err.text, "put it in quotes"));
    }
}

static void quotes_make_a_text_of_anything(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS(as_kubectl); i++) {
        const char *scalar = as_kubectl[i].scalar;
        struct casb_error err = {0};
        _cleanup_(yamldoc_freep) struct yamldoc *doc = NULL;

        if (strpbrk(scalar, "'\"!"))
            continue;
        doc = parse("v: '", scalar, "'", &err);
        assert_non_null(doc);
        assert_string_equal(jsonx_string(yamldoc_root(doc), "v"), scalar);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_are_what_kubectl_makes_of_them),
        cmocka_unit_test(what_json_cannot_hold_is_refused_with_its_place),
        cmocka_unit_test(a_key_that_is_no_text_is_refused),
        cmocka_unit_test(quotes_make_a_text_of_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
