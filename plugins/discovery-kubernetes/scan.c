/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/scan.h"

#include "base/plog.h"

/* Of the names in one warning; the rest is counted. */
#define NAMES_LIMIT_BYTES 200

struct scan {
    const struct discovery *discovery;
    casb_node_fn *each;
    void *arg;
    const struct laspods *las; /* NULL: not known */
    struct buf names;          /* of the first nodes without */
    size_t unnamed;            /* more such nodes */
    struct casb_error *err;
};

/* Control planes are seldom to be registered, and excluded nodes never: there it is no news. */
static void note_source(struct scan *scan, struct casb_node *node)
{
    node->las_source = las_source(scan->las, node->name);
    if (!scan->las || node->las_source || node->control_plane || node->excluded)
        return;
    if (buf_printf(&scan->names, "%s%s", scan->names.len ? ", " : "", node->name) < 0)
        scan->unnamed++;
}

/* What is odd about one node is no reason to miss the others. */
static int on_node(const json_t *object, void *arg)
{
    struct scan *scan = arg;
    const struct casb_host *host = scan->discovery->host;
    char blocked[NODE_BLOCKED_BYTES];
    struct casb_error why = {0};
    struct casb_node node;
    bool odd;

    if (scan->discovery->settings->label)
        marks_note(scan->discovery->marks, object);
    if (node_read(object, &scan->discovery->needs, blocked, &node, &odd, &why) < 0) {
        plog(host, CASB_WARN, NULL, "%s; it is left out", why.text);
        return 0;
    }
    if (odd)
        plog(host, CASB_WARN, node.name, "its boot ID is none, and is not looked at");
    note_source(scan, &node);
    return scan->each(&node, scan->arg);
}

/* Trouble with the LAS pods is no reason not to scan: the boot IDs decide. */
static int list_las(const struct discovery *d, const struct casb_call *call, struct laspods **ret,
                    struct casb_error *err)
{
    struct casb_error trouble = {0};
    int r;

    if (!d->las)
        return 0;
    r = las_list(d->las, call, ret, &trouble);
    if (r == CASB_ECANCELLED || r == CASB_ETIMEOUT)
        return err_pass(err, &trouble);
    if (r < 0)
        plog(d->host, CASB_WARN, NULL, "%s; boot IDs decide", trouble.text);
    return 0;
}

static int list_nodes(const struct discovery *d, const struct casb_call *call, struct scan *scan)
{
    const struct kube_query query[] = {{"labelSelector", d->selector}, {NULL, NULL}};
    char version[KUBE_VERSION_BYTES];
    int r;

    r = kube_list(d->kube, call, "/api/v1/nodes", d->selector ? query : NULL, on_node, scan,
                  version, scan->err);
    return r < 0 ? err_wrap(scan->err, r, "list of the nodes") : r;
}

static void warn_without_las(const struct scan *scan)
{
    const char *names = buf_text(&scan->names);

    if (scan->unnamed > 0)
        plog(scan->discovery->host, CASB_WARN, NULL,
             "no LAS pod runs on %s and %zu more; boot IDs decide", names, scan->unnamed);
    else if (*names)
        plog(scan->discovery->host, CASB_WARN, NULL, "no LAS pod runs on %s; boot IDs decide",
             names);
}

int scan_nodes(void *self, const struct casb_call *call, casb_node_fn *each, void *arg,
               struct casb_error *err)
{
    struct scan scan = {
        .discovery = self,
        .each = each,
        .arg = arg,
        .names = BUF_INIT(NAMES_LIMIT_BYTES),
        .err = err,
    };
    _cleanup_(laspods_unrefp) struct laspods *las = NULL;
    int r;

    r = list_las(self, call, &las, err);
    if (r < 0)
        return r;
    scan.las = las;
    r = list_nodes(self, call, &scan);
    if (r == 0)
        warn_without_las(&scan);
    buf_free(&scan.names);
    return r;
}
