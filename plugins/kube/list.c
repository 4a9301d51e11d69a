/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/client.h"

#include "kube/sieve.h"

#include "base/jsonx.h"
#include "base/text.h"

#include <string.h>

#define PAGE_ITEMS "50"                /* measured: see docs/architecture.md */
#define PAGE_BYTES (512 * 1024 * 1024) /* a server may ignore the limit of items */
#define RECOVERIES 3                   /* in a row, without anything new */

/* A list under way. */
struct list {
    struct kube *kube;
    const struct casb_call *call;
    const char *path;
    const struct kube_query *query;
    kube_item_fn *each;
    void *arg;
    json_t *seen;  /* what was given: uids as keys */
    json_t *meta;  /* the last page's metadata */
    char *token;   /* for the next page; NULL: the first, or no further */
    char *version; /* of the first page */
    bool progress; /* the last page had something new */
    unsigned recoveries;
};

/* True for an item that was not given before, which is then remembered. */
static int remember(struct list *list, const json_t *item, bool *ret_new, struct casb_error *err)
{
    const char *uid = jsonx_string(item, "metadata.uid");

    *ret_new = !uid || !json_object_get(list->seen, uid);
    if (uid && *ret_new && json_object_set_new(list->seen, uid, json_true()))
        return err_nomem(err);
    return 0;
}

static int give_item(struct list *list, struct sieve_span text, struct casb_error *err)
{
    json_auto_t *item = NULL;
    bool is_new;
    int r;

    sieve_item(&text);
    r = jsonx_parse(text.data, text.len, "item of the list", &item, err);
    if (!r)
        r = remember(list, item, &is_new, err);
    if (r || !is_new)
        return r;
    list->progress = true;
    return list->each(item, list->arg);
}

static int give_items(struct list *list, const struct sieve_span *items, struct casb_error *err)
{
    struct sieve sieve = {.text = *items};
    struct sieve_span item;
    int r = 0;

    if (items->data[0] == 'n') /* null: none */
        return 0;
    while (!r && sieve_element(&sieve, &item))
        r = give_item(list, item, err);
    if (!r && sieve.broken)
        r = err_set(err, CASB_EINVALID, "the list's items are no JSON array");
    return r;
}

static int set_meta(struct list *list, const struct sieve_span *text, struct casb_error *err)
{
    json_decref(TAKE_PTR(list->meta));
    return jsonx_parse(text->data, text->len, "metadata of the list", &list->meta, err);
}

static int give_page(struct list *list, const struct buf *body, struct casb_error *err)
{
    struct sieve sieve = {.text = {body->data, body->len}};
    struct sieve_span key, value;
    int r = 0;

    while (!r && sieve_member(&sieve, &key, &value)) {
        if (sieve_is(&key, "metadata"))
            r = set_meta(list, &value, err);
        else if (sieve_is(&key, "items"))
            r = give_items(list, &value, err);
    }
    if (!r && (sieve.broken || !list->meta))
        r = err_set(err, CASB_EINVALID, "the answer is no list");
    return r;
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
    return text_dup(jsonx_string(list->meta, "resourceVersion"), &list->version) ? err_nomem(err)
                                                                                 : 0;
}

static int take_page(struct list *list, struct buf *body, struct casb_error *err)
{
    int r;

    list->progress = false;
    json_decref(TAKE_PTR(list->meta));
    r = give_page(list, body, err);
    if (!r)
        r = keep_version(list, err);
    if (!r)
        r = next_token(list, list->meta, err);
    if (list->progress)
        list->recoveries = 0;
    return r;
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
    if (jsonx_parse(buf_text(&response->body), response->body.len, "Status", &status, NULL))
        json_decref(TAKE_PTR(status));
    return !next_token(list, jsonx_object(status, "metadata"), NULL);
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
        .limit_bytes = PAGE_BYTES,
    };
    struct casb_error why = {0};
    int r = client_exchange(list->kube, list->call, &exchange, &response, NULL, &why);

    *ret_done = false;
    if (r && recover(list, &response))
        return 0;
    if (r)
        return err_pass(err, &why);
    r = take_page(list, &response.body, err);
    *ret_done = !list->token;
    return r < 0 ? err_wrap(err, r, "GET %s", list->path) : r;
}

static void list_free(struct list *list)
{
    json_decref(list->seen);
    json_decref(list->meta);
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
        .seen = json_object(),
    };
    bool done = false;
    int r = list.seen ? 0 : err_nomem(err);

    while (!r && !done)
        r = page(&list, &done, err);
    if (r)
        return r;
    if (strlen(list.version ? list.version : "") >= KUBE_VERSION_BYTES)
        return err_set(err, CASB_EINVALID, "GET %s: resourceVersion is too long", path);
    snprintf(version, KUBE_VERSION_BYTES, "%s", list.version ? list.version : "");
    return 0;
}
