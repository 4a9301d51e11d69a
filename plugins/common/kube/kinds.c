/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/kinds.h"

#include "base/text.h"

#include <cas-backup/error.h>

#include <string.h>

#define FIELDS(name_) static const struct proto_field name_[]
#define END                                                                                        \
    {                                                                                              \
        .number = 0                                                                                \
    }

/* ---- meta/v1 */

const struct proto_field kinds_list_meta[] = {
    {2, "resourceVersion", PROTO_STRING, PROTO_ONE, NULL},
    {3, "continue", PROTO_STRING, PROTO_ONE, NULL},
    END,
};

FIELDS(object_meta) = {
    {1, "name", PROTO_STRING, PROTO_ONE, NULL},
    {3, "namespace", PROTO_STRING, PROTO_ONE, NULL},
    {5, "uid", PROTO_STRING, PROTO_ONE, NULL},
    {6, "resourceVersion", PROTO_STRING, PROTO_ONE, NULL},
    {8, "creationTimestamp", PROTO_TIME, PROTO_ONE, NULL},
    {9, "deletionTimestamp", PROTO_TIME, PROTO_ONE, NULL},
    {10, "deletionGracePeriodSeconds", PROTO_INT, PROTO_ONE, NULL},
    {11, "labels", PROTO_STRING, PROTO_MAP, NULL},
    {12, "annotations", PROTO_STRING, PROTO_MAP, NULL},
    {14, "finalizers", PROTO_STRING, PROTO_LIST, NULL},
    END,
};

FIELDS(partial) = {
    {1, "metadata", PROTO_MESSAGE, PROTO_ONE, object_meta},
    END,
};

FIELDS(status_cause) = {
    {1, "reason", PROTO_STRING, PROTO_ONE, NULL},
    {2, "message", PROTO_STRING, PROTO_ONE, NULL},
    {3, "field", PROTO_STRING, PROTO_ONE, NULL},
    END,
};

FIELDS(status_details) = {
    {3, "kind", PROTO_STRING, PROTO_ONE, NULL},
    {4, "causes", PROTO_MESSAGE, PROTO_LIST, status_cause},
    {5, "retryAfterSeconds", PROTO_INT, PROTO_ONE, NULL},
    END,
};

FIELDS(status) = {
    {1, "metadata", PROTO_MESSAGE, PROTO_ONE, kinds_list_meta},
    {2, "status", PROTO_STRING, PROTO_ONE, NULL},
    {3, "message", PROTO_STRING, PROTO_ONE, NULL},
    {4, "reason", PROTO_STRING, PROTO_ONE, NULL},
    {5, "details", PROTO_MESSAGE, PROTO_ONE, status_details},
    {6, "code", PROTO_INT, PROTO_ONE, NULL},
    END,
};

/* ---- core/v1 */

FIELDS(config_map) = {
    {1, "metadata", PROTO_MESSAGE, PROTO_ONE, object_meta},
    {2, "data", PROTO_STRING, PROTO_MAP, NULL},
    {3, "binaryData", PROTO_BYTES, PROTO_MAP, NULL},
    {4, "immutable", PROTO_BOOL, PROTO_ONE, NULL},
    END,
};

FIELDS(taint) = {
    {1, "key", PROTO_STRING, PROTO_ONE, NULL},
    {2, "value", PROTO_STRING, PROTO_ONE, NULL},
    {3, "effect", PROTO_STRING, PROTO_ONE, NULL},
    END,
};

/* Of nodes there are many, and of each nobody reads more. */
FIELDS(node_meta) = {
    {1, "name", PROTO_STRING, PROTO_ONE, NULL},
    {5, "uid", PROTO_STRING, PROTO_ONE, NULL},
    {9, "deletionTimestamp", PROTO_TIME, PROTO_ONE, NULL},
    {11, "labels", PROTO_STRING, PROTO_MAP, NULL},
    END,
};

FIELDS(node_condition) = {
    {1, "type", PROTO_STRING, PROTO_ONE, NULL},
    {2, "status", PROTO_STRING, PROTO_ONE, NULL},
    END,
};

FIELDS(node_spec) = {
    {4, "unschedulable", PROTO_BOOL, PROTO_ONE, NULL},
    {5, "taints", PROTO_MESSAGE, PROTO_LIST, taint},
    END,
};

FIELDS(node_info) = {
    {3, "bootID", PROTO_STRING, PROTO_ONE, NULL},
    END,
};

FIELDS(node_status) = {
    {2, "allocatable", PROTO_QUANTITY, PROTO_MAP, NULL},
    {4, "conditions", PROTO_MESSAGE, PROTO_LIST, node_condition},
    {7, "nodeInfo", PROTO_MESSAGE, PROTO_ONE, node_info},
    END,
};

FIELDS(node) = {
    {1, "metadata", PROTO_MESSAGE, PROTO_ONE, node_meta},
    {2, "spec", PROTO_MESSAGE, PROTO_ONE, node_spec},
    {3, "status", PROTO_MESSAGE, PROTO_ONE, node_status},
    END,
};

FIELDS(pod_condition) = {
    {1, "type", PROTO_STRING, PROTO_ONE, NULL},
    {2, "status", PROTO_STRING, PROTO_ONE, NULL},
    {5, "reason", PROTO_STRING, PROTO_ONE, NULL},
    {6, "message", PROTO_STRING, PROTO_ONE, NULL},
    END,
};

FIELDS(container) = {
    {1, "name", PROTO_STRING, PROTO_ONE, NULL},
    END,
};

FIELDS(pod_spec) = {
    {2, "containers", PROTO_MESSAGE, PROTO_LIST, container},
    {10, "nodeName", PROTO_STRING, PROTO_ONE, NULL},
    END,
};

FIELDS(waiting) = {
    {1, "reason", PROTO_STRING, PROTO_ONE, NULL},
    {2, "message", PROTO_STRING, PROTO_ONE, NULL},
    END,
};

FIELDS(running) = {
    {1, "startedAt", PROTO_TIME, PROTO_ONE, NULL},
    END,
};

FIELDS(terminated) = {
    {1, "exitCode", PROTO_INT, PROTO_ONE, NULL},
    {3, "reason", PROTO_STRING, PROTO_ONE, NULL},
    {4, "message", PROTO_STRING, PROTO_ONE, NULL},
    {5, "startedAt", PROTO_TIME, PROTO_ONE, NULL},
    END,
};

FIELDS(container_state) = {
    {1, "waiting", PROTO_MESSAGE, PROTO_ONE, waiting},
    {2, "running", PROTO_MESSAGE, PROTO_ONE, running},
    {3, "terminated", PROTO_MESSAGE, PROTO_ONE, terminated},
    END,
};

FIELDS(container_status) = {
    {1, "name", PROTO_STRING, PROTO_ONE, NULL},
    {2, "state", PROTO_MESSAGE, PROTO_ONE, container_state},
    {3, "lastState", PROTO_MESSAGE, PROTO_ONE, container_state},
    {5, "restartCount", PROTO_INT, PROTO_ONE, NULL},
    END,
};

FIELDS(pod_status) = {
    {1, "phase", PROTO_STRING, PROTO_ONE, NULL},
    {2, "conditions", PROTO_MESSAGE, PROTO_LIST, pod_condition},
    {3, "message", PROTO_STRING, PROTO_ONE, NULL},
    {4, "reason", PROTO_STRING, PROTO_ONE, NULL},
    {5, "hostIP", PROTO_STRING, PROTO_ONE, NULL},
    {6, "podIP", PROTO_STRING, PROTO_ONE, NULL},
    {8, "containerStatuses", PROTO_MESSAGE, PROTO_LIST, container_status},
    {10, "initContainerStatuses", PROTO_MESSAGE, PROTO_LIST, container_status},
    END,
};

FIELDS(pod) = {
    {1, "metadata", PROTO_MESSAGE, PROTO_ONE, object_meta},
    {2, "spec", PROTO_MESSAGE, PROTO_ONE, pod_spec},
    {3, "status", PROTO_MESSAGE, PROTO_ONE, pod_status},
    END,
};

/* Of a pod there are five events at least, and whoever waits reads no more. */
FIELDS(watched_meta) = {
    {1, "name", PROTO_STRING, PROTO_ONE, NULL},
    {5, "uid", PROTO_STRING, PROTO_ONE, NULL},
    {6, "resourceVersion", PROTO_STRING, PROTO_ONE, NULL},
    {9, "deletionTimestamp", PROTO_TIME, PROTO_ONE, NULL},
    END,
};

FIELDS(watched_spec) = {
    {10, "nodeName", PROTO_STRING, PROTO_ONE, NULL},
    END,
};

FIELDS(watched_pod) = {
    {1, "metadata", PROTO_MESSAGE, PROTO_ONE, watched_meta},
    {2, "spec", PROTO_MESSAGE, PROTO_ONE, watched_spec},
    {3, "status", PROTO_MESSAGE, PROTO_ONE, pod_status},
    END,
};

static const struct kind {
    const char *name;
    const struct proto_field *fields, *watched; /* of one that comes by a watch */
} kinds[] = {
    {"Node", node, node},
    {"Pod", pod, watched_pod},
    {"ConfigMap", config_map, config_map},
    {"PartialObjectMetadata", partial, partial},
    {"Status", status, status},
};

static const struct kind *find(const char *name)
{
    for (size_t i = 0; i < ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

const struct proto_field *kinds_find(const char *kind)
{
    const struct kind *found = find(kind);

    return found ? found->fields : NULL;
}

/* Copies a short text; "" for a longer one. */
static void copy_name(struct wire_bytes text, char ret[static KINDS_NAME_BYTES])
{
    size_t len = text.len < KINDS_NAME_BYTES ? text.len : 0;

    memcpy(ret, text.data, len);
    ret[len] = '\0';
}

int kinds_read_type(struct wire_bytes type_meta, char ret[static KINDS_NAME_BYTES])
{
    enum wire_result next;
    struct wire_field field;

    ret[0] = '\0';
    while ((next = wire_next(&type_meta, &field)) == WIRE_FIELD)
        if (field.number == 2 && field.type == WIRE_BYTES)
            copy_name(field.bytes, ret);
    return next == WIRE_END ? 0 : CASB_EINVALID;
}

bool kinds_is_encoded(struct wire_bytes bytes)
{
    return bytes.len >= KINDS_MAGIC_LEN && memcmp(bytes.data, "k8s\0", KINDS_MAGIC_LEN) == 0;
}

/* The `kind` and content of a runtime.Unknown. */
static int open_unknown(struct wire_bytes unknown, char kind[static KINDS_NAME_BYTES],
                        struct wire_bytes *ret_raw)
{
    enum wire_result next;
    struct wire_field field;
    int r = 0;

    while (r == 0 && (next = wire_next(&unknown, &field)) == WIRE_FIELD) {
        if (field.number == KINDS_TYPE && field.type == WIRE_BYTES)
            r = kinds_read_type(field.bytes, kind);
        else if (field.number == KINDS_RAW && field.type == WIRE_BYTES)
            *ret_raw = field.bytes;
    }
    return r || next != WIRE_END ? CASB_EINVALID : 0;
}

static int decode(struct wire_bytes bytes, bool watched, json_t **ret)
{
    const struct kind *kind;
    char name[KINDS_NAME_BYTES] = "";
    struct wire_bytes raw = {0};
    json_auto_t *object = NULL;
    int r;

    if (!kinds_is_encoded(bytes))
        return CASB_EINVALID;
    r = open_unknown((struct wire_bytes){bytes.data + KINDS_MAGIC_LEN, bytes.len - KINDS_MAGIC_LEN},
                     name, &raw);
    if (r)
        return r;
    object = json_object();
    if (!object || json_object_set_new(object, "kind", json_string(name)))
        return CASB_ENOMEM;
    kind = find(name);
    r = kind ? proto_merge(raw, watched ? kind->watched : kind->fields, object) : 0;
    if (r == 0)
        *ret = TAKE_PTR(object);
    return r;
}

int kinds_decode(struct wire_bytes bytes, json_t **ret)
{
    return decode(bytes, false, ret);
}

/* The bytes of a runtime.RawExtension. */
static int open_extension(struct wire_bytes extension, struct wire_bytes *ret_raw)
{
    enum wire_result next;
    struct wire_field field;

    while ((next = wire_next(&extension, &field)) == WIRE_FIELD)
        if (field.number == 1 && field.type == WIRE_BYTES)
            *ret_raw = field.bytes;
    return next == WIRE_END ? 0 : CASB_EINVALID;
}

int kinds_decode_event(struct wire_bytes event, char ret_type[static KINDS_NAME_BYTES],
                       json_t **ret)
{
    struct wire_bytes object = {0};
    enum wire_result next;
    struct wire_field field;
    int r = 0;

    ret_type[0] = '\0';
    while (r == 0 && (next = wire_next(&event, &field)) == WIRE_FIELD) {
        if (field.number == 1 && field.type == WIRE_BYTES)
            copy_name(field.bytes, ret_type);
        else if (field.number == 2 && field.type == WIRE_BYTES)
            r = open_extension(field.bytes, &object);
    }
    if (r || next != WIRE_END)
        return CASB_EINVALID;
    return decode(object, true, ret);
}
