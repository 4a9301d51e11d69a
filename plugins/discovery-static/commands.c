/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-static/commands.h"

#include "base/address.h"
#include "base/laslog.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#define ARGUMENT_BYTES (128U * 1024) /* execve(2): MAX_ARG_STRLEN */
#define REASON_BYTES   300
#define UUID_LENGTH    36

const json_t *commands_list(const struct commands *commands, const struct host *host,
                            enum command command)
{
    const json_t *own = host->commands[command];
    const json_t *list = own ? own : commands->general[command];

    return json_array_size(list) > 0 ? list : NULL;
}

/* ---- argv */

struct placeholder {
    const char *mark, *value;
};

/* One argument; an unknown value is NULL. */
static int expand_word(const char *word, const struct placeholder *known, size_t n, struct buf *out,
                       struct casb_error *err)
{
    while (*word) {
        size_t len = 1 + strcspn(word + 1, "{"), i = 0;
        int r;

        while (i < n && strncmp(word, known[i].mark, strlen(known[i].mark)) != 0)
            i++;
        if (i < n && !known[i].value)
            return err_set(err, CASB_ENOTFOUND, "%s is not known any more", known[i].mark);
        r = i < n ? buf_puts(out, known[i].value) : buf_append(out, word, len);
        if (r)
            return err_set(err, r, "an argument is too long");
        word += i < n ? strlen(known[i].mark) : len;
    }
    return 0;
}

int commands_expand(const json_t *list, const struct host *host, const char *instance,
                    const struct commands_news *news, char ***ret_argv, struct casb_error *err)
{
    const struct placeholder known[] = {{"{name}", host->name},
                                        {"{address}", host->address},
                                        {"{instance}", instance},
                                        {"{outcome}", news ? news->outcome : NULL},
                                        {"{message}", news ? news->message : NULL}};
    const size_t n = ELEMENTS(known) - (news ? 0 : 2);
    _cleanup_(commands_free_argvp) char **argv = calloc(json_array_size(list) + 1, sizeof *argv);
    const json_t *word;
    size_t i;

    if (!argv)
        return err_nomem(err);
    json_array_foreach (list, i, word) {
        _cleanup_(buf_free) struct buf out = BUF_INIT(ARGUMENT_BYTES);
        int r = expand_word(json_string_value(word), known, n, &out, err);

        if (r)
            return r;
        argv[i] = buf_take(&out);
        if (!argv[i])
            return err_nomem(err);
    }
    *ret_argv = TAKE_PTR(argv);
    return 0;
}

void commands_free_argv(char **argv)
{
    for (char **p = argv; p && *p; p++)
        free(*p);
    free(argv);
}

/* ---- running */

/* The last line that says something. */
static char *last_line(char out[static REASON_BYTES], const struct buf *b)
{
    const char *text = buf_text(b), *end = text + b->len, *start;

    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    start = end > text ? memrchr(text, '\n', (size_t)(end - text)) : NULL;
    start = start ? start + 1 : text;
    return text_clean_bytes(out, REASON_BYTES, start, (size_t)(end - start));
}

static int judge(const struct process_result *result, struct casb_error *err)
{
    char reason[REASON_BYTES], how[64];

    if (result->status == 0)
        return 0;
    if (result->signal)
        snprintf(how, sizeof how, "ended by signal %d", result->signal);
    else
        snprintf(how, sizeof how, "exit status %d", result->status);
    last_line(reason, result->err.len > 0 ? &result->err : &result->out);
    return err_set(err, CASB_EFAILED, "%s%s%s", how, *reason ? ": " : "", reason);
}

int commands_run(const struct commands *commands, const struct casb_call *call,
                 const struct host *host, enum command command, const struct commands_news *news,
                 struct process_result *ret, struct casb_error *err)
{
    _cleanup_(commands_free_argvp) char **argv = NULL;
    struct process_spec spec = {.env = (const char *const *)environ,
                                .output_bytes = COMMANDS_OUTPUT_BYTES};
    int r;

    *ret = (struct process_result){0};
    r = commands_expand(commands_list(commands, host, command), host, commands->instance, news,
                        &argv, err);
    if (!r) {
        spec.argv = (const char *const *)argv;
        r = process_run(call, &spec, ret, err);
    }
    if (!r)
        r = judge(ret, err);
    return r ? err_wrap(err, r, "%s command", command_names[command]) : 0;
}

/* ---- what they print */

/* The bytes without white space around them. */
static const char *trim(const char *text, size_t *len)
{
    while (*len > 0 && isspace((unsigned char)*text)) {
        text++;
        --*len;
    }
    while (*len > 0 && isspace((unsigned char)text[*len - 1]))
        --*len;
    return text;
}

static bool is_ip(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

bool commands_parse_address(const char *output, char address[static CASB_ADDRESS_LENGTH + 1])
{
    char line[CASB_ADDRESS_LENGTH + 1], host[256];
    size_t len = strcspn(output, "\n");
    uint16_t port;

    output = trim(output, &len);
    if (len >= sizeof line)
        return false;
    memcpy(line, output, len);
    line[len] = '\0';
    if (address_parse(line, 0, host, &port) || (port == 0 && !is_ip(host)))
        return false;
    return address_join(address, CASB_ADDRESS_LENGTH + 1, host,
                        port ? port : COMMANDS_DEFAULT_PORT) == 0;
}

/* RFC 9562, section 4; in lower case, as /proc/sys/kernel/random/boot_id has it. */
static bool take_boot_id(const char *text, size_t len, struct casb_identity *ret)
{
    struct casb_identity boot = {.kind = CASB_BOOT_ID};

    if (len != UUID_LENGTH)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
        boot.text[i] = (char)tolower((unsigned char)text[i]);
    }
    *ret = boot;
    return true;
}

int commands_parse_identity(const char *output, size_t len, struct casb_machine *ret,
                            struct casb_error *err)
{
    struct casb_machine machine = {0};
    size_t trimmed = len;
    const char *text = trim(output, &trimmed);

    if (!take_boot_id(text, trimmed, &machine.boot) &&
        laslog_take_key(text, trimmed, &machine.las) && laslog_parse(output, len, &machine.las))
        return err_set(err, CASB_EINVALID,
                       "identify command: it printed no LAS log with a key, no key, no boot ID");
    *ret = machine;
    return 0;
}
