/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/plog.h"

struct line {
    enum casb_level level;
    char node[32];
    char text[4096];
};

static void keep_line(const struct casb_host *host, enum casb_level level, const char *node,
                      const char *text)
{
    struct line *line = host->arg;

    line->level = level;
    snprintf(line->node, sizeof line->node, "%s", node ? node : "(none)");
    snprintf(line->text, sizeof line->text, "%s", text);
}

static void the_host_gets_the_formatted_line(void **state)
{
    struct line line;
    struct casb_host host = {.size = sizeof host, .arg = &line, .log = keep_line};

    (void)state;
    plog(&host, CASB_WARN, "node-a", "pod '%s' is %d", "x", 7);
    assert_int_equal(line.level, CASB_WARN);
    assert_string_equal(line.node, "node-a");
    assert_string_equal(line.text, "pod 'x' is 7");
    plog(&host, CASB_DEBUG, NULL, "bare");
    assert_string_equal(line.node, "(none)");
    assert_string_equal(line.text, "bare");
}

static void long_lines_are_cut(void **state)
{
    struct line line;
    struct casb_host host = {.size = sizeof host, .arg = &line, .log = keep_line};

    (void)state;
    plog(&host, CASB_INFO, NULL, "%03000d", 1);
    assert_int_equal(strlen(line.text), 1023);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_gets_the_formatted_line),
        cmocka_unit_test(long_lines_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
