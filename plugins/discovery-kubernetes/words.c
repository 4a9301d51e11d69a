/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/words.h"

#include "base/buf.h"
#include "base/jsonx.h"
#include "base/label.h"
#include "base/plog.h"
#include "base/text.h"
#include "discovery-kubernetes/api.h"
#include "discovery-kubernetes/discovery.h"

#include <string.h>

/* What a person reads of it, and the bytes that these lines may have. */
#define LINES     20
#define LOG_BYTES "65536"
#define TEXT(n)   #n
#define DIGITS(n) TEXT(n)

/* The container with the backup CAS: the first one, whatever else the settings add. */
static const char *container(const struct discovery *d)
{
    return jsonx_string(json_array_get(jsonx_array(d->sample, "spec.containers"), 0), "name");
}

static int read_log(const struct discovery *d, const struct casb_call *call, const char *pod,
                    struct buf *log, struct casb_error *err)
{
    const struct kube_query query[] = {{"container", container(d)},
                                       {"tailLines", DIGITS(LINES)},
                                       {"limitBytes", LOG_BYTES},
                                       {NULL, NULL}};
    _cleanup_(freep) char *path = NULL;
    int r = api_pods_path(d->plan.namespace, pod, "log", &path, err);

    return r < 0 ? r : kube_text(d->kube, call, path, query, log, err);
}

/* Where the last LINES of the text begin. */
static char *last_lines(char *text)
{
    char *end = text + strlen(text), *start = end;

    if (end > text && end[-1] == '\n')
        start = --end;
    for (int lines = 0; start > text; start--)
        if (start[-1] == '\n' && ++lines == LINES)
            break;
    return start;
}

void words_log(void *self, const struct casb_call *call, const struct casb_node *node)
{
    const struct discovery *d = self;
    _cleanup_(buf_free) struct buf log = BUF_INIT(64 * 1024);
    struct casb_error err = {0};
    char pod[LABEL_BYTES];
    char *rest, *line;

    pod_name(pod, d->plan.instance, node->name);
    if (read_log(d, call, pod, &log, &err) < 0) {
        plog(d->host, CASB_DEBUG, node->name, "the log of pod '%s' is not shown: %s", pod,
             err.text);
        return;
    }
    if (log.len == 0)
        return;
    rest = last_lines(log.data);
    while ((line = strsep(&rest, "\n")))
        if (*line)
            plog(d->host, CASB_DEBUG, node->name, "its backup CAS said: %s", line);
}
