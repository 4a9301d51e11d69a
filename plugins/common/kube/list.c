/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/client.h"
#include "common/kube/listreader.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "base/textmap.h"

#include <string.h>

#define PAGE_ITEMS "500" /* as client-go's pager */
#define RECOVERIES 3     /* in a row, without anything new */

/* A page is as large as the server sees fit; by a narrow way it may take its time, if it flows. */
#define PAGE_TIMEOUT (5 * 60 * CLOCK_S)
#define PAGE_SILENCE (30 * CLOCK_S)

/* A list under way. */
struct list {
    struct kube *kube;
    const struct casb_call *call;
    const char *path;
    const struct kube_query *query;
    kube_item_fn *each;
    void *arg;
    struct listreader reader; /* of the page that is on its way */
    int stopped;              /* what ended the page before its end: its result */
    struct casb_error why;    /* and why */
    struct textmap seen;      /* the uids of what was given */
    char *token;              /* for the next page; NULL: the first, or no further */
    char *version;            /* of the first page */
    bool progress;            /* the last page had something new */
    unsigned recoveries;
    struct casb_error trouble; /* why it had to recover first */
};

/* An item that came already is passed over. */
static int give_item(const json_t *item, void *arg)
{
    const char *uid = jsonx_string(item, "metadata.uid");
    struct list *list = arg;

    if (uid && textmap_get(&list->seen, uid, NULL))
        return 0;
    if (uid && textmap_set(&list->seen, uid, 0))
        return err_nomem(&list->why);
    list->progress = true;
    return list->each(item, list->arg);
}

/* To the transfer that is a success: it did what it could. */
static int on_body(const char *data, size_t len, void *arg)
{
    struct list *list = arg;

    list->stopped = listreader_feed(&list->reader, data, len);
    return list->stopped != 0;
}

static void restart(void *arg)
{
    struct list *list = arg;

    listreader_free(&list->reader);
}

static int next_token(struct list *list, const json_t *meta, struct casb_error *err)
{
    const char *token = jsonx_string(meta, "continue");

    free(TAKE_PTR(list->token));
    return text_dup(text_empty(token) ? NULL : token, &list->token) ? err_nomem(err) : 0;
}

/* The oldest version is the one from which a watch misses nothing of what was given. */
static int keep_version(struct list *list, struct casb_error *err)
{
    if (list->version)
        return 0;
    return text_dup(jsonx_string(list->reader.meta, "resourceVersion"), &list->version)
               ? err_nomem(err)
               : 0;
}

/* A page without anything new whose token is the one that it was asked for with leads nowhere. */
static int check_progress(struct list *list, struct casb_error *err)
{
    const char *token = jsonx_string(list->reader.meta, "continue");

    if (list->progress)
        list->recoveries = 0;
    if (list->progress || text_empty(token) || !text_equal(token, list->token) ||
        ++list->recoveries <= RECOVERIES)
        return 0;
    return err_set(err, CASB_EINVALID, "the list has no end: its next page is the same one");
}

static int end_page(struct list *list, struct casb_error *err)
{
    int r = listreader_end(&list->reader);

    if (r)
        return err_pass(err, &list->why);
    r = keep_version(list, err);
    if (!r)
        r = check_progress(list, err);
    return r ? r : next_token(list, list->reader.meta, err);
}

/*
 * The token grew too old (410), or means nothing any more (400): the answer may have a fresh one,
 * which gives the rest as it is now; else all is listed again. Which items came already is known.
 */
static bool recover(struct list *list, const struct http_response *response)
{
    json_auto_t *status = NULL;

    if (!list->token || (response->status != 410 && response->status != 400) ||
        ++list->recoveries > RECOVERIES)
        return false;
    status = client_status(response);
    return !next_token(list, jsonx_object(status, "metadata"), NULL);
}

/* What ended the page was its content, or the caller's function. */
static int stop(const struct list *list, struct casb_error *err)
{
    if (list->why.code)
        err_pass(err, &list->why);
    return list->stopped < 0 ? err_wrap(err, list->stopped, "GET %s", list->path) : list->stopped;
}

/* One page: *ret_done says that it was the last. */
static int page(struct list *list, bool *ret_done, struct casb_error *err)
{
    _cleanup_(http_response_free) struct http_response response = {0};
    const struct kube_query paging[] = {
        {"limit", PAGE_ITEMS}, {list->token ? "continue" : NULL, list->token}, {NULL, NULL}};
    const struct exchange exchange = {
        .method = "GET",
        .path = list->path,
        .query = list->query,
        .more_query = paging,
        .accept = CLIENT_PROTOBUF,
        .timeout_ns = PAGE_TIMEOUT,
        .idle_timeout_ns = PAGE_SILENCE,
        .on_body = on_body,
        .restart = restart,
        .arg = list,
    };
    struct casb_error why = {0};
    int r;

    *ret_done = false;
    list->progress = false;
    r = client_exchange(list->kube, list->call, &exchange, &response, NULL, &why);
    if (list->stopped)
        return stop(list, err);
    if (r && recover(list, &response)) {
        err_pass(&list->trouble, &why);
        return 0;
    }
    if (r)
        return err_pass_after(err, &why, &list->trouble);
    if (listreader_is_cut(&list->reader) && ++list->recoveries <= RECOVERIES)
        return 0;
    r = end_page(list, err);
    *ret_done = !list->token;
    return r < 0 ? err_wrap(err, r, "GET %s", list->path) : r;
}

static void list_free(struct list *list)
{
    textmap_free(&list->seen);
    listreader_free(&list->reader);
    free(list->token);
    free(list->version);
}

int kube_list(struct kube *kube, const struct casb_call *call, const char *path,
              const struct kube_query *query, kube_item_fn *each, void *arg,
              char version[static KUBE_VERSION_BYTES], struct casb_error *err)
{
    _cleanup_(list_free) struct list list = {
        .kube = kube,
        .call = call,
        .path = path,
        .query = query,
        .each = each,
        .arg = arg,
    };
    bool done = false;
    int r = 0;

    list.reader = (struct listreader){.each = give_item, .arg = &list, .err = &list.why};
    while (!r && !done)
        r = page(&list, &done, err);
    if (r)
        return r;
    if (strlen(list.version ? list.version : "") >= KUBE_VERSION_BYTES)
        return err_set(err, CASB_EINVALID, "GET %s: resourceVersion is too long", path);
    snprintf(version, KUBE_VERSION_BYTES, "%s", list.version ? list.version : "");
    return 0;
}
