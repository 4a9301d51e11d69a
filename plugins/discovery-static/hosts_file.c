/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-static/hosts_file.h"

#include "base/file.h"
#include "base/jsonread.h"
#include "base/text.h"
#include "base/trust.h"

#include <string.h>

#define FILE_BYTES (64U * 1024 * 1024)

/* Where the reading is. */
struct reader {
    struct hosts *hosts;
    const char *path;
    size_t line;
    char *start, *at; /* of the line, which ends with a NUL */
    struct casb_error *err;
};

static int fault_at(const struct reader *r, const char *at, const char *fault)
{
    return err_set(r->err, CASB_EINVALID, "%s:%zu:%zu: %s", r->path, r->line,
                   (size_t)(at - r->start) + 1, fault);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* At the next word; false where the line ends or a comment begins. */
static bool skip_blanks(struct reader *r)
{
    while (is_blank(*r->at))
        r->at++;
    return *r->at && *r->at != '#';
}

/* Takes the next word, cut out of the line; NULL: there is none. */
static char *next_word(struct reader *r)
{
    char *word;

    if (!skip_blanks(r))
        return NULL;
    word = r->at;
    while (*r->at && !is_blank(*r->at))
        r->at++;
    if (*r->at)
        *r->at++ = '\0';
    return word;
}

/* KEY=LIST; blanks may be in the list. */
static int read_command(struct reader *r, struct host *host)
{
    const char *key = r->at, *fault;
    size_t len = strcspn(key, "= \t\r");
    enum command c = hosts_command(key, len);
    struct jsonread_fault broken;
    size_t end = 0;
    json_t *list = NULL;
    int failed;

    if (c == COMMANDS || key[len] != '=')
        return fault_at(r, key, "expected spawn=LIST, remove=LIST, identify=LIST or notify=LIST");
    if (host->commands[c])
        return fault_at(r, key, "the command is given twice");
    r->at += len + 1;
    failed = jsonread_value(r->at, strlen(r->at), &list, &end, &broken);
    if (failed == CASB_ENOMEM)
        return err_nomem(r->err);
    fault =
        failed ? "expected a JSON list, such as [\"ssh\", \"x\"]" : hosts_fault_of_command(list);
    if (!fault && r->at[end] && !is_blank(r->at[end]))
        fault = "something follows the list";
    if (json_array_append_new(r->hosts->trees, list) && !fault)
        return err_nomem(r->err);
    if (fault)
        return fault_at(r, r->at, fault);
    r->at += end;
    host->commands[c] = list;
    return 0;
}

static int read_line(struct reader *r)
{
    struct host host = {.line = r->line};
    const char *fault;
    int failed = 0;

    host.name = next_word(r);
    if (!host.name)
        return 0;
    fault = hosts_fault_of_name(host.name);
    if (fault)
        return fault_at(r, host.name, fault);
    host.address = next_word(r);
    fault = hosts_fault_of_address(host.address);
    if (fault)
        return fault_at(r, host.address ? host.address : r->at, fault);
    while (!failed && skip_blanks(r))
        failed = read_command(r, &host);
    return failed ? failed : hosts_add(r->hosts, &host, r->err);
}

static int read_lines(struct reader *r, char *text)
{
    while (text) {
        char *end = strchr(text, '\n');
        int failed;

        if (end)
            *end++ = '\0';
        r->line++;
        r->start = r->at = text;
        failed = read_line(r);
        if (failed)
            return failed;
        text = end;
    }
    return 0;
}

int hosts_file_load(struct hosts *hosts, const char *path, struct casb_error *err)
{
    struct reader reader = {.hosts = hosts, .path = path, .err = err};
    _cleanup_(buf_free) struct buf text = BUF_INIT(FILE_BYTES);
    int r = file_read(path, &text, err);

    if (!r)
        r = trust_check(path, TRUST_FILE, err); /* it says what is run */
    if (r)
        return r;
    if (strlen(buf_text(&text)) != text.len)
        return err_set(err, CASB_EINVALID, "%s: it is no text file", path);
    hosts->trees = json_array();
    hosts->text = buf_take(&text);
    if (!hosts->trees || !hosts->text)
        return err_nomem(err);
    return read_lines(&reader, hosts->text);
}
