/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/watch.h"

#include "common/kube/client.h"
#include "common/kube/kinds.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/plog.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

#define BACKOFF_BASE (800 * CLOCK_MS)
#define BACKOFF_CAP  (30 * CLOCK_S)
#define RETRY_MAX_S  3600
#define WATCH_S      24            /* after a half to a whole of it the watch is over */
#define GRACE        (5 * CLOCK_S) /* if the server does not end it, we do */
#define FRAME_HEAD   4             /* bytes of a length, most significant first */
#define TOO_LONG     "an event of the watch is too long"

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

static int take_event(struct watch_stream *stream, const char *type, const json_t *object)
{
    bool deleted = text_equal(type, "DELETED");
    int r;

    if (text_equal(type, "ERROR"))
        return take_error(stream, object);
    if (text_equal(type, "BOOKMARK"))
        return move_version(stream, object);
    stream->any = true;
    if (!text_equal(type, "ADDED") && !text_equal(type, "MODIFIED") && !deleted)
        return end(stream, err_set(&stream->err, CASB_EINVALID,
                                   "the watch sent an event of an unknown type"));
    if (move_version(stream, object))
        return 1;
    r = stream->event(object, deleted, stream->arg);
    return r ? end(stream, r) : 0;
}

static int take_line(struct watch_stream *stream, const char *line, size_t len)
{
    json_auto_t *event = NULL;
    int r = jsonx_parse(line, len, "event of the watch", &event, &stream->err);

    if (r)
        return end(stream, r);
    return take_event(stream, jsonx_string(event, "type"), jsonx_object(event, "object"));
}

/* meta/v1 WatchEvent, without the magic that its object begins with. */
static int take_frame(struct watch_stream *stream, struct wire_bytes frame)
{
    char type[KINDS_NAME_BYTES];
    json_auto_t *object = NULL;
    int r = kinds_decode_event(frame, type, &object);

    if (r == CASB_ENOMEM)
        return end(stream, err_nomem(&stream->err));
    if (r)
        return end(stream, err_set(&stream->err, r, "an event of the watch cannot be decoded"));
    return take_event(stream, type, object);
}

static bool is_blank(const char *line, size_t len)
{
    size_t i = 0;

    while (i < len && isspace((unsigned char)line[i]))
        i++;
    return i == len;
}

/*
 * Takes the event that the bytes begin with: a line of JSON, or a length of four bytes and so many
 * bytes of Protocol Buffers. *ret_len stays 0 where it is not there whole.
 */
static int take_first(struct watch_stream *stream, const char *data, size_t len, size_t *ret_len)
{
    const unsigned char *head = (const unsigned char *)data;
    const char *newline;
    size_t size;

    if (head[0] != 0) {
        newline = memchr(data, '\n', len);
        if (!newline)
            return 0;
        size = (size_t)(newline - data);
        *ret_len = size + 1;
        return is_blank(data, size) ? 0 : take_line(stream, data, size);
    }
    if (len < FRAME_HEAD)
        return 0;
    size = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (size > CLIENT_OBJECT_BYTES)
        return end(stream, err_set(&stream->err, CASB_EINVALID, TOO_LONG));
    if (len - FRAME_HEAD < size)
        return 0;
    *ret_len = FRAME_HEAD + size;
    return take_frame(stream, (struct wire_bytes){head + FRAME_HEAD, size});
}

int watch_stream_feed(struct watch_stream *stream, const char *data, size_t len)
{
    struct buf *pending = &stream->pending;
    size_t at = 0, taken = 1;
    int r = stream->ended;

    if (!r && (r = buf_append(pending, data, len)) != 0)
        return end(stream, r == CASB_ENOMEM ? err_nomem(&stream->err)
                                            : err_set(&stream->err, CASB_EINVALID, TOO_LONG));
    while (!r && taken > 0 && at < pending->len) {
        taken = 0;
        r = take_first(stream, pending->data + at, pending->len - at, &taken);
        at += taken;
    }
    buf_drop(pending, at);
    return r;
}

static int on_body(const char *data, size_t len, void *arg)
{
    return watch_stream_feed(arg, data, len);
}

static void restart(void *arg)
{
    struct watch_stream *stream = arg;

    buf_reset(&stream->pending);
    stream->any = false;
    stream->retry_ns = -1;
}

/* One connection, to its end; *ret_open: it was one, and not refused. */
static int turn(struct kube *kube, const struct casb_call *call, const char *path,
                const struct kube_query *query, int64_t end_ns, struct watch_stream *stream,
                bool *ret_open, struct casb_error *err)
{
    _cleanup_(http_response_free) struct http_response response = {0};
    int64_t seconds = (end_ns - clock_now_ns()) / CLOCK_S + 1;
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
        .accept = CLIENT_PROTOBUF,
        .on_body = on_body,
        .restart = restart,
        .arg = stream,
    };

    snprintf(turn_s, sizeof turn_s, "%lld", (long long)seconds);
    r = client_once(kube, call, &exchange, &response, err);
    if (r && response.retry_after_ns > stream->retry_ns)
        stream->retry_ns = response.retry_after_ns;
    *ret_open = response.status / 100 == 2;
    return r;
}

/* How long to wait before the next connection: not for longer than a watch is trusted. */
static int64_t pause_ns(const struct watch_stream *stream, int64_t end_ns, int code,
                        unsigned *failures)
{
    int64_t left = end_ns - clock_now_ns(), wait;

    if (stream->any)
        *failures = 0;
    if (!code && stream->retry_ns < 0)
        return 0;
    wait = clock_backoff(++*failures, BACKOFF_BASE, BACKOFF_CAP);
    if (wait < stream->retry_ns)
        wait = stream->retry_ns;
    return wait < left ? wait : left;
}

static int list_again(const char *path, struct casb_error *err)
{
    return err_set(err, CASB_ECONFLICT, "watch of %s: it is time to list again", path);
}

/*
 * What stands between us and the API server may hold events back, all or some, and nothing in the
 * stream tells. So it is never trusted for long, nor any further where it was open and empty.
 */
static int watch(struct kube *kube, const struct casb_call *call, const char *path,
                 const struct kube_query *query, struct watch_stream *stream,
                 struct casb_error *err)
{
    const int64_t end_ns = clock_now_ns() + clock_backoff(1, WATCH_S, WATCH_S) * CLOCK_S;
    unsigned failures = 0;
    bool open;
    int r = 0;

    while (!r && clock_now_ns() < end_ns) {
        struct casb_error why = {0};

        r = turn(kube, call, path, query, end_ns, stream, &open, &why);
        if (stream->ended)
            return stream->result;
        if (r && r != CASB_EUNREACHABLE)
            return err_pass(err, &why);
        if (clock_now_ns() >= end_ns || (open && !stream->any && stream->retry_ns < 0))
            return list_again(path, err);
        if (r)
            plog(client_host(kube), CASB_WARN, NULL, "watch broke and is taken up again: %s",
                 why.text);
        r = clock_sleep(call, pause_ns(stream, end_ns, r, &failures));
    }
    return r ? err_set(err, (enum casb_code)r, "watch of %s", path) : list_again(path, err);
}

int kube_watch(struct kube *kube, const struct casb_call *call, const char *path,
               const struct kube_query *query, const char *version, kube_event_fn *event, void *arg,
               struct casb_error *err)
{
    struct watch_stream stream = {
        .event = event,
        .arg = arg,
        .pending = BUF_INIT(CLIENT_OBJECT_BYTES),
        .retry_ns = -1,
    };
    int r;

    if (strlen(version) >= sizeof stream.version)
        return err_set(err, CASB_EINVALID, "resourceVersion '%.16s...' is too long", version);
    snprintf(stream.version, sizeof stream.version, "%s", version);
    r = watch(kube, call, path, query, &stream, err);
    buf_free(&stream.pending);
    if (stream.ended && stream.err.code)
        return err_set(err, (enum casb_code)r, "GET %s: %s", path, stream.err.text);
    return r;
}
