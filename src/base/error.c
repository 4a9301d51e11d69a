/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static _printf_(4, 0) void fill(struct casb_error *err, enum casb_code code, int sys_errno,
                                const char *format, va_list ap)
{
    err->code = code;
    err->sys_errno = sys_errno;
    err->retry = code == CASB_EUNREACHABLE;
    vsnprintf(err->text, sizeof err->text, format, ap);
}

int err_set(struct casb_error *err, enum casb_code code, const char *format, ...)
{
    va_list ap;

    if (!err || err->code)
        return code;
    va_start(ap, format);
    fill(err, code, 0, format, ap);
    va_end(ap);
    return code;
}

static enum casb_code class_of_errno(int sys_errno)
{
    switch (sys_errno) {
    case EINVAL:
    case ENAMETOOLONG:
        return CASB_EINVALID;
    case EACCES:
    case EPERM:
    case EROFS:
        return CASB_EDENIED;
    case ENOENT:
    case ENOTDIR:
        return CASB_ENOTFOUND;
    case EEXIST:
        return CASB_ECONFLICT;
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return CASB_EUNREACHABLE;
    case ETIMEDOUT:
        return CASB_ETIMEOUT;
    case ENOMEM:
        return CASB_ENOMEM;
    default:
        return CASB_EFAILED;
    }
}

int err_set_errno(struct casb_error *err, int sys_errno, const char *format, ...)
{
    enum casb_code code = class_of_errno(sys_errno);
    char reason[128];
    size_t len;
    va_list ap;

    if (!err || err->code)
        return code;
    va_start(ap, format);
    fill(err, code, sys_errno, format, ap);
    va_end(ap);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof err->text - len, ": %s",
             strerror_r(sys_errno, reason, sizeof reason));
    return code;
}

int err_wrap(struct casb_error *err, int code, const char *format, ...)
{
    char text[sizeof err->text];
    size_t len;
    va_list ap;

    if (!err)
        return code;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (!err->code)
        err->code = code;
    len = strlen(text);
    snprintf(text + len, sizeof text - len, err->text[0] ? ": %s" : "%s", err->text);
    memcpy(err->text, text, sizeof text);
    return code;
}

int err_pass(struct casb_error *err, const struct casb_error *failure)
{
    if (err && !err->code)
        *err = *failure;
    return failure->code;
}

/* How much of both texts is the same context: up to the last ": " that they share. */
static size_t common_context(const char *a, const char *b)
{
    size_t len = 0;

    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == ':' && a[i + 1] == ' ' && b[i + 1] == ' ')
            len = i + 2;
    return len;
}

int err_pass_after(struct casb_error *err, const struct casb_error *failure,
                   const struct casb_error *first)
{
    static const char between[] = "; before that: ";
    const char *cause = first->text + common_context(failure->text, first->text);
    const size_t room = sizeof failure->text - sizeof between; /* for both texts */
    struct casb_error both = *failure;
    size_t wanted = strlen(cause), len;

    if (!first->code || strstr(failure->text, first->text))
        return err_pass(err, failure);
    text_clean(both.text, room - (wanted < room / 2 ? wanted : room / 2), failure->text);
    len = strlen(both.text);
    memcpy(both.text + len, between, sizeof between);
    len += sizeof between - 1;
    text_clean(both.text + len, sizeof both.text - len, cause);
    return err_pass(err, &both);
}

int err_set_setting(struct casb_error *err, const char *setting, const char *format, ...)
{
    size_t len;
    va_list ap;

    if (!err || err->code)
        return CASB_EINVALID;
    err_set(err, CASB_EINVALID, "%s: ", setting);
    len = strlen(err->text);
    va_start(ap, format);
    vsnprintf(err->text + len, sizeof err->text - len, format, ap);
    va_end(ap);
    snprintf(err->setting, sizeof err->setting, "%s", setting);
    return CASB_EINVALID;
}

int err_nomem(struct casb_error *err)
{
    return err_set(err, CASB_ENOMEM, "out of memory");
}

const char *err_class_name(int code)
{
    static const char *const names[] = {
        "success",     "invalid", "denied",    "not found",     "conflict",
        "unreachable", "timeout", "cancelled", "out of memory", "failed",
    };

    return code <= 0 && (size_t)-code < ELEMENTS(names) ? names[-code] : "failed";
}
