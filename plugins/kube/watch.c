/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/watch.h"

#include "kube/client.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/plog.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

#define BACKOFF_BASE (800 * CLOCK_MS)
#define BACKOFF_CAP  (30 * CLOCK_S)
#define SHORT        CLOCK_S /* a watch that ends sooner, and empty, is not resumed at once */
#define RETRY_MAX_S  3600
#define TURN_S       120            /* the server ends a watch after a half to a whole of it */
#define GRACE        (20 * CLOCK_S) /* if it does not, we do: the connection may be dead */

static int end(struct watch_stream *stream, int result)
{
    stream->ended = true;
    stream->result = result;
    return 1;
}

static int move_version(struct watch_stream *stream, const json_t *object)
{
    const char *version = jsonx_string(object, "metadata.resourceVersion");

    if (text_empty(version) || strlen(version) >= sizeof stream->version)
        return end(stream, err_set(&stream->err, CASB_EINVALID,
                                   "an event of the watch has no usable resourceVersion"));
    snprintf(stream->version, sizeof stream->version, "%s", version);
    return 0;
}

/*
 * 410: what is between the last version and now is gone. All else is the server's trouble: the
 * watch may go on, but not at once.
 */
static int take_error(struct watch_stream *stream, const json_t *status)
{
    int64_t code = jsonx_int(status, "code", 500);
    int64_t wait_s = jsonx_int(status, "details.retryAfterSeconds", 0);
    const char *reason = jsonx_string(status, "reason");

    if (code == 410 || text_equal(reason, "Expired") || text_equal(reason, "Gone"))
        return end(stream, client_status_error(410, status, NULL, &stream->err));
    stream->retry_ns = wait_s > 0 && wait_s < RETRY_MAX_S ? wait_s * CLOCK_S : 0;
    return 1;
}

static int take_event(struct watch_stream *stream, const json_t *event)
{
    const char *type = jsonx_string(event, "type");
    const json_t *object = jsonx_object(event, "object");
    int r;

    if (text_equal(type, "ERROR"))
        return take_error(stream, object);
    stream->any = true;
    if (text_equal(type, "BOOKMARK"))
        return move_version(stream, object);
    if (!text_equal(type, "ADDED") && !text_equal(type, "MODIFIED") && !text_equal(type, "DELETED"))
        return end(stream, err_set(&stream->err, CASB_EINVALID,
                                   "the watch sent an event of an unknown type"));
    if (move_version(stream, object))
        return 1;
    r = stream->event(object, type[0] == 'D', stream->arg);
    return r ? end(stream, r) : 0;
}

static int take_line(struct watch_stream *stream, const char *line, size_t len)
{
    json_auto_t *event = NULL;
    int r;

    while (len && isspace((unsigned char)line[len - 1]))
        len--;
    if (!len)
        return 0;
    r = jsonx_parse(line, len, "event of the watch", &event, &stream->err);
    return r ? end(stream, r) : take_event(stream, event);
}

static int keep(struct watch_stream *stream, const char *data, size_t len)
{
    int r = buf_append(&stream->line, data, len);

    if (!r)
        return 0;
    return end(stream,
               err_set(&stream->err, (enum casb_code)r, "an event of the watch is too long"));
}

int watch_stream_feed(struct watch_stream *stream, const char *data, size_t len)
{
    const char *newline;
    size_t part;
    int r = stream->ended;

    while (!r && (newline = memchr(data, '\n', len))) {
        part = (size_t)(newline - data);
        if (stream->line.len) {
            r = keep(stream, data, part);
            if (!r)
                r = take_line(stream, stream->line.data, stream->line.len);
            buf_reset(&stream->line);
        } else {
            r = take_line(stream, data, part);
        }
        data = newline + 1;
        len -= part + 1;
    }
    return r ? r : keep(stream, data, len);
}

static int on_body(const char *data, size_t len, void *arg)
{
    return watch_stream_feed(arg, data, len);
}

static void restart(void *arg)
{
    struct watch_stream *stream = arg;

    buf_reset(&stream->line);
    stream->any = false;
    stream->retry_ns = -1;
}

/* One connection, to its end. */
static int turn(struct kube *kube, const struct casb_call *call, const char *path,
                const struct kube_query *query, struct watch_stream *stream, struct casb_error *err)
{
    _cleanup_(http_response_free) struct http_response response = {0};
    int64_t seconds = clock_backoff(1, TURN_S, TURN_S);
    char turn_s[24];
    int r;
    const struct kube_query watching[] = {
        {"watch", "true"},
        {"allowWatchBookmarks", "true"},
        {"resourceVersion", stream->version},
        {"timeoutSeconds", turn_s},
        {NULL, NULL},
    };
    const struct exchange exchange = {
        .method = "GET",
        .path = path,
        .query = query,
        .more_query = watching,
        .timeout_ns = seconds * CLOCK_S + GRACE,
        .watch = true,
        .on_body = on_body,
        .restart = restart,
        .arg = stream,
    };

    snprintf(turn_s, sizeof turn_s, "%lld", (long long)seconds);
    r = client_once(kube, call, &exchange, &response, err);
    if (r && response.retry_after_ns > stream->retry_ns)
        stream->retry_ns = response.retry_after_ns;
    return r;
}

/* How long to wait before the next connection. */
static int64_t pause_ns(const struct watch_stream *stream, int code, int64_t lived_ns,
                        unsigned *failures)
{
    int64_t wait;

    if (!code && stream->retry_ns < 0 && (stream->any || lived_ns >= SHORT)) {
        *failures = 0;
        return 0;
    }
    if (stream->any)
        *failures = 0;
    wait = clock_backoff(++*failures, BACKOFF_BASE, BACKOFF_CAP);
    return wait > stream->retry_ns ? wait : stream->retry_ns;
}

static int watch(struct kube *kube, const struct casb_call *call, const char *path,
                 const struct kube_query *query, struct watch_stream *stream,
                 struct casb_error *err)
{
    unsigned failures = 0;
    int64_t started, wait;
    int r = 0;

    while (!r) {
        struct casb_error why = {0};

        started = clock_now_ns();
        r = turn(kube, call, path, query, stream, &why);
        if (stream->ended)
            return stream->result;
        if (r && r != CASB_EUNREACHABLE)
            return err_pass(err, &why);
        if (r)
            plog(client_host(kube), CASB_WARN, NULL, "watch broke and is taken up again: %s",
                 why.text);
        wait = pause_ns(stream, r, clock_now_ns() - started, &failures);
        r = clock_sleep(call, wait);
    }
    return err_set(err, (enum casb_code)r, "watch of %s", path);
}

int kube_watch(struct kube *kube, const struct casb_call *call, const char *path,
               const struct kube_query *query, const char *version, kube_event_fn *event, void *arg,
               struct casb_error *err)
{
    struct watch_stream stream = {
        .event = event,
        .arg = arg,
        .line = BUF_INIT(WATCH_LINE_BYTES),
        .retry_ns = -1,
    };
    int r;

    if (strlen(version) >= sizeof stream.version)
        return err_set(err, CASB_EINVALID, "resourceVersion '%.16s...' is too long", version);
    snprintf(stream.version, sizeof stream.version, "%s", version);
    r = watch(kube, call, path, query, &stream, err);
    buf_free(&stream.line);
    if (stream.ended && stream.err.code)
        return err_set(err, (enum casb_code)r, "GET %s: %s", path, stream.err.text);
    return r;
}
