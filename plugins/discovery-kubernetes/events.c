/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/events.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/label.h"
#include "base/text.h"

#include <pthread.h>
#include <string.h>

#define API_VERSION    EVENTS_GROUP "/v1"
#define PATH           "/apis/" API_VERSION "/namespaces/%s/events"
#define CONTROLLER     "cas-backup"
#define INSTANCE_BYTES (128 + 1) /* of reportingInstance, as the API server has it */
#define MICROTIME      40        /* "2006-01-02T15:04:05.000000Z", which it wants so */
#define POST_NS        (10 * CLOCK_S)

/* What an outcome is called; in the order of enum casb_outcome. NULL: nobody looks at that node. */
static const struct kind {
    const char *reason, *action, *type, *text;
} kinds[] = {
    [CASB_OUTCOME_REGISTERED] = {"Registered", "Register", "Normal", "registered"},
    [CASB_OUTCOME_FAILED] = {"RegistrationFailed", "Register", "Warning", "not registered"},
    [CASB_OUTCOME_HARDWARE_CHANGED] = {"HardwareChanged", "Compare", "Warning",
                                       "it is not the machine that was registered"},
    [CASB_OUTCOME_UNPROTECTED] = {"NotProtected", "Skip", "Warning",
                                  "it holds no valid registration and is not registered now"},
    [CASB_OUTCOME_DROPPED] = {NULL},
};

struct events {
    const struct casb_host *host;
    struct kube *kube;
    const char *namespace;
    char instance[INSTANCE_BYTES]; /* who reports */
    pthread_mutex_t lock;          /* guards all below */
    size_t made, more[ELEMENTS(kinds)];
    bool off;
    const char *place; /* the namespace that they are made in */
};

int events_new(const struct casb_host *host, struct kube *kube, const char *namespace,
               struct events **ret, struct casb_error *err)
{
    struct events *events = calloc(1, sizeof *events);

    if (!events)
        return err_nomem(err);
    events->host = host;
    events->kube = kube;
    events->namespace = namespace;
    events->place = EVENTS_NAMESPACE;
    text_clean(events->instance, sizeof events->instance, host->holder);
    pthread_mutex_init(&events->lock, NULL);
    *ret = events;
    return 0;
}

void events_free(struct events *events)
{
    if (!events)
        return;
    pthread_mutex_destroy(&events->lock);
    free(events);
}

/* ---- one Event */

struct event {
    const struct kind *kind;
    const char *object, *name, *uid; /* the kind, name and UID (or NULL) of what it is about */
    const char *note;
    int64_t since_ms, now_ms;
    uint32_t count;
    size_t number; /* in this pass */
};

static char *micro_time(char out[static MICROTIME], int64_t wall_ms)
{
    char millis[CLOCK_RFC3339_BYTES];

    clock_format(millis, wall_ms, true);
    snprintf(out, MICROTIME, "%.*s000Z", (int)strcspn(millis, "Z"), millis);
    return out;
}

/* One that came once is no series: its count is at least 2. */
static int make_series(const struct event *event, json_t **ret, struct casb_error *err)
{
    char now[MICROTIME];

    if (event->count < 2)
        return 0;
    return jsonx_pack(ret, err, "{s:I, s:s}", "count", (json_int_t)event->count, "lastObservedTime",
                      micro_time(now, event->now_ms));
}

static int make(const struct events *events, const struct event *event, const char *place,
                json_t **ret, struct casb_error *err)
{
    char base[LABEL_BYTES], name[LABEL_BYTES + 40], since[MICROTIME], note[EVENTS_NOTE_BYTES + 1];
    json_auto_t *series = NULL;
    int r = make_series(event, &series, err);

    if (r)
        return r;
    label_join(base, events->host->instance, event->name);
    snprintf(name, sizeof name, "%s.%llx.%zx", base, (unsigned long long)event->now_ms,
             event->number);
    return jsonx_pack(ret, err,
                      "{s:s, s:s, s:{s:s, s:s}, s:s, s:O*, s:s, s:s, s:s, s:s, s:s, s:s, "
                      "s:{s:s, s:s, s:s, s:s*}}",
                      "apiVersion", API_VERSION, "kind", "Event", "metadata", "name", name,
                      "namespace", place, "eventTime", micro_time(since, event->since_ms), "series",
                      series, "reportingController", CONTROLLER, "reportingInstance",
                      events->instance, "type", event->kind->type, "reason", event->kind->reason,
                      "action", event->kind->action, "note",
                      text_clean(note, sizeof note, event->note), "regarding", "apiVersion", "v1",
                      "kind", event->object, "name", event->name, "uid", event->uid);
}

/* Would the next one fail in the same way? */
static bool is_shared(int r)
{
    return r == CASB_EDENIED || r == CASB_EUNREACHABLE || r == CASB_ETIMEOUT ||
           r == CASB_ECANCELLED;
}

static int post_in(const struct events *events, const struct casb_call *call,
                   const struct event *event, const char *place, struct casb_error *err)
{
    char path[sizeof PATH + sizeof EVENTS_BEFORE];
    json_auto_t *body = NULL;
    int r = make(events, event, place, &body, err);

    if (r)
        return r;
    snprintf(path, sizeof path, PATH, place);
    return kube_request(
        events->kube, call,
        &(struct kube_request){.verb = KUBE_POST, .path = path, .body = body, .metadata = true},
        NULL, NULL, err);
}

/* Where the API server takes none in the one namespace the other is tried, and kept to. */
static int post_somewhere(struct events *events, const struct casb_call *call,
                          const struct event *event, struct casb_error *err)
{
    const char *place;
    int r;

    pthread_mutex_lock(&events->lock);
    place = events->place;
    pthread_mutex_unlock(&events->lock);
    r = post_in(events, call, event, place, err);
    if (r != CASB_EINVALID || !text_equal(place, EVENTS_NAMESPACE) ||
        post_in(events, call, event, EVENTS_BEFORE, NULL))
        return r;
    *err = (struct casb_error){0};
    pthread_mutex_lock(&events->lock);
    events->place = EVENTS_BEFORE;
    pthread_mutex_unlock(&events->lock);
    return 0;
}

static int post(struct events *events, const struct casb_call *call, const struct event *event,
                struct casb_error *err)
{
    const struct casb_call brief = {clock_deadline(call, POST_NS), call->cancel_fd};
    struct casb_error why = {0};
    int r = post_somewhere(events, &brief, event, &why);

    if (!is_shared(r))
        return r ? err_set(err, r, "Event: %s", why.text) : 0;
    pthread_mutex_lock(&events->lock);
    events->off = true;
    pthread_mutex_unlock(&events->lock);
    return err_set(err, r, "Event: %s; no further ones are made in this pass", why.text);
}

/* ---- what is told */

/* Its number in this pass, or 0 where it is left to the summary or nobody is told any more. */
static size_t take_number(struct events *events, enum casb_outcome outcome)
{
    size_t number = 0;

    pthread_mutex_lock(&events->lock);
    if (events->made < EVENTS_MAX && !events->off)
        number = ++events->made;
    else
        events->more[outcome]++;
    pthread_mutex_unlock(&events->lock);
    return number;
}

int events_tell(struct events *events, const struct casb_call *call, const struct casb_news *news,
                struct casb_error *err)
{
    const struct kind *kind = &kinds[news->outcome];
    char note[2 * EVENTS_NOTE_BYTES];
    struct event event = {
        .kind = kind,
        .object = "Node",
        .name = news->name,
        .uid = news->uid,
        .note = note,
        .since_ms = news->since * 1000,
        .now_ms = clock_wall_ms(),
        .count = news->count,
    };

    event.number = kind->reason ? take_number(events, news->outcome) : 0;
    if (event.number == 0)
        return 0;
    snprintf(note, sizeof note, "backup '%s': %s%s%s", events->host->instance, kind->text,
             *news->message ? ": " : "", news->message);
    return post(events, call, &event, err);
}

/* "70 Registered, 5 RegistrationFailed"; gives how many in all, and of what type that is. */
static size_t describe(const struct events *events, struct buf *out, const char **ret_type)
{
    size_t sum = 0;

    *ret_type = "Normal";
    for (size_t i = 0; i < ELEMENTS(kinds); i++) {
        if (events->more[i] == 0)
            continue;
        (void)!buf_printf(out, "%s%zu %s", sum ? ", " : "", events->more[i], kinds[i].reason);
        sum += events->more[i];
        if (!text_equal(kinds[i].type, *ret_type))
            *ret_type = kinds[i].type;
    }
    return sum;
}

int events_end(struct events *events, const struct casb_call *call, struct casb_error *err)
{
    _cleanup_(buf_free) struct buf list = BUF_INIT(EVENTS_NOTE_BYTES);
    struct kind kind = {.reason = "MoreNodes", .action = "Summarize"};
    char note[2 * EVENTS_NOTE_BYTES];
    struct event event = {.kind = &kind,
                          .object = "Namespace",
                          .name = events->namespace,
                          .note = note,
                          .now_ms = clock_wall_ms()};
    size_t sum;
    bool off;

    pthread_mutex_lock(&events->lock);
    sum = describe(events, &list, &kind.type);
    off = events->off;
    pthread_mutex_unlock(&events->lock);
    if (sum == 0 || off)
        return 0;
    event.since_ms = event.now_ms;
    snprintf(note, sizeof note, "backup '%s': %zu more nodes in this pass have no Event: %s",
             events->host->instance, sum, buf_text(&list));
    return post(events, call, &event, err);
}
