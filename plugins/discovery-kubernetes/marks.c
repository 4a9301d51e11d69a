/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/marks.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/label.h"
#include "base/text.h"
#include "common/kube/ownership.h"

#include <pthread.h>

#define NODES    "/api/v1/nodes"
#define MARK     "true"
#define PATCH_NS (10 * CLOCK_S)

struct marks {
    const struct casb_host *host;
    struct kube *kube;
    char key[sizeof OWNERSHIP_PREFIX + LABEL_BYTES];
    pthread_mutex_t lock; /* guards all below */
    json_t *nodes;        /* by uid, what they show: {name, value} */
    bool off;
};

int marks_new(const struct casb_host *host, struct kube *kube, struct marks **ret,
              struct casb_error *err)
{
    _cleanup_(freep) struct marks *marks = calloc(1, sizeof *marks);
    json_t *nodes = json_object();

    if (!marks || !nodes) {
        json_decref(nodes);
        return err_nomem(err);
    }
    marks->host = host;
    marks->kube = kube;
    marks->nodes = nodes;
    snprintf(marks->key, sizeof marks->key, OWNERSHIP_PREFIX "%s", host->instance);
    pthread_mutex_init(&marks->lock, NULL);
    *ret = TAKE_PTR(marks);
    return 0;
}

void marks_free(struct marks *marks)
{
    if (!marks)
        return;
    json_decref(marks->nodes);
    pthread_mutex_destroy(&marks->lock);
    free(marks);
}

void marks_note(struct marks *marks, const json_t *node)
{
    const char *uid = jsonx_string(node, "metadata.uid"), *name, *value;

    if (!uid || (marks->host->has_node && !marks->host->has_node(marks->host, uid)))
        return;
    name = jsonx_string(node, "metadata.name");
    value = json_string_value(json_object_get(jsonx_object(node, "metadata.labels"), marks->key));
    pthread_mutex_lock(&marks->lock);
    (void)!json_object_set_new(marks->nodes, uid,
                               jsonx_new("{s:s*, s:s*}", "name", name, "value", value));
    pthread_mutex_unlock(&marks->lock);
}

/* ---- one node */

/* With its uid, so that another node of the name is left alone. */
static int patch(struct marks *marks, const struct casb_call *call, const char *uid,
                 const char *name, bool mark, struct casb_error *err)
{
    const struct casb_call brief = {clock_deadline(call, PATCH_NS), call->cancel_fd};
    char path[sizeof NODES + CASB_ADDRESS_LENGTH];
    json_auto_t *body = NULL;
    int r = jsonx_pack(&body, err, "{s:{s:s, s:{s:s?}}}", "metadata", "uid", uid, "labels",
                       marks->key, mark ? MARK : NULL);

    if (r)
        return r;
    snprintf(path, sizeof path, NODES "/%s", name);
    return kube_request(marks->kube, &brief,
                        &(struct kube_request){
                            .verb = KUBE_MERGE_PATCH, .path = path, .body = body, .metadata = true},
                        NULL, NULL, err);
}

/* Would another node fail in the same way? */
static bool is_shared(int r)
{
    return r == CASB_EDENIED || r == CASB_EUNREACHABLE || r == CASB_ETIMEOUT ||
           r == CASB_ECANCELLED;
}

/* Does the node show already what it should, or will it not before the next pass? */
static bool is_done(struct marks *marks, const char *uid, bool mark)
{
    const json_t *node;
    const char *value;
    bool done;

    pthread_mutex_lock(&marks->lock);
    node = json_object_get(marks->nodes, uid);
    value = jsonx_string(node, "value");
    done = marks->off || (node && (mark ? text_equal(value, MARK) : !value));
    pthread_mutex_unlock(&marks->lock);
    return done;
}

static void note_done(struct marks *marks, const char *uid, const char *name, bool mark)
{
    pthread_mutex_lock(&marks->lock);
    (void)!json_object_set_new(marks->nodes, uid,
                               jsonx_new("{s:s, s:s*}", "name", name, "value", mark ? MARK : NULL));
    pthread_mutex_unlock(&marks->lock);
}

int marks_set(struct marks *marks, const struct casb_call *call, const char *uid, const char *name,
              bool is_protected, struct casb_error *err)
{
    struct casb_error why = {0};
    int r;

    if (is_done(marks, uid, is_protected))
        return 0;
    r = patch(marks, call, uid, name, is_protected, &why);
    if (r == 0)
        note_done(marks, uid, name, is_protected);
    if (r == 0 || r == CASB_ENOTFOUND)
        return 0;
    if (!is_shared(r))
        return err_set(err, r, "label of node '%s': %s", name, why.text);
    pthread_mutex_lock(&marks->lock);
    marks->off = true;
    pthread_mutex_unlock(&marks->lock);
    return err_set(err, r, "label of node '%s': %s; no further one is changed in this pass", name,
                   why.text);
}

/* ---- all nodes */

static int note_stray(const json_t *node, void *arg)
{
    struct marks *marks = arg;
    const char *uid = jsonx_string(node, "metadata.uid");
    bool known;

    pthread_mutex_lock(&marks->lock);
    known = uid && json_object_get(marks->nodes, uid);
    pthread_mutex_unlock(&marks->lock);
    if (!known)
        marks_note(marks, node);
    return 0;
}

static int find_strays(struct marks *marks, const struct casb_call *call, struct casb_error *err)
{
    const struct kube_query query[] = {{"labelSelector", marks->key}, {NULL, NULL}};
    char version[KUBE_VERSION_BYTES];

    return kube_list(marks->kube, call, NODES, query, note_stray, marks, version, err);
}

/* Nobody else is told anything meanwhile, and what a node shows is replaced where it stands. */
static int set_all(struct marks *marks, const struct casb_call *call,
                   casb_protected_fn *is_protected, void *arg, struct casb_error *err)
{
    const char *uid;
    json_t *node;
    int first = 0, r;

    json_object_foreach (marks->nodes, uid, node) {
        r = marks_set(marks, call, uid, jsonx_string(node, "name"),
                      is_protected && is_protected(uid, arg), first ? NULL : err);
        if (!first)
            first = r;
    }
    return first;
}

int marks_settle(struct marks *marks, const struct casb_call *call, bool complete,
                 casb_protected_fn *is_protected, void *arg, struct casb_error *err)
{
    int listed = complete ? 0 : find_strays(marks, call, err);
    int set = set_all(marks, call, is_protected, arg, listed ? NULL : err);

    return listed ? listed : set;
}
