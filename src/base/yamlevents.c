/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yamlevents.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct yamlposition yamlevents_position(yaml_mark_t at)
{
    return (struct yamlposition){at.line + 1, at.column + 1};
}

int yamlevents_fail(const struct yamlevents *e, struct yamlposition at, const char *format, ...)
{
    char text[CASB_ERROR_TEXT_BYTES];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return err_set(e->err, CASB_EINVALID, "%s:%zu:%zu: %s", e->name, at.line, at.column, text);
}

/* A reader's error has only an offset in bytes. */
static struct yamlposition position_of_offset(const struct yamlevents *e, size_t offset)
{
    struct yamlposition at = {1, 1};

    for (size_t i = 0; i < offset && i < e->len; i++) {
        bool newline = e->text[i] == '\n';

        at.line += newline;
        at.column = newline ? 1 : at.column + 1;
    }
    return at;
}

static bool indented_by_tab(const struct yamlevents *e, size_t line)
{
    const char *at = e->text, *end = e->text + e->len;

    for (size_t i = 1; i < line && at; i++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    while (at && at < end && *at == ' ')
        at++;
    return at && at < end && *at == '\t';
}

static int fail_parser(const struct yamlevents *e)
{
    const yaml_parser_t *p = e->parser;
    struct yamlposition at = yamlevents_position(p->problem_mark);

    if (p->error == YAML_MEMORY_ERROR || errno == ENOMEM)
        return err_nomem(e->err);
    if (p->error == YAML_READER_ERROR)
        return yamlevents_fail(e, position_of_offset(e, p->problem_offset), "%s", p->problem);
    if (p->error == YAML_SCANNER_ERROR && indented_by_tab(e, at.line))
        return yamlevents_fail(e, at, "a tab cannot indent: use spaces");
    if (p->context)
        return yamlevents_fail(e, at, "%s %s that began in line %zu", p->problem, p->context,
                               p->context_mark.line + 1);
    return yamlevents_fail(e, at, "%s", p->problem);
}

int yamlevents_next(const struct yamlevents *e, yaml_event_t *ret)
{
    errno = 0; /* not all of libyaml's failures for lack of memory have a name */
    return yaml_parser_parse(e->parser, ret) ? 0 : fail_parser(e);
}
