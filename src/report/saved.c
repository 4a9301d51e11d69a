/* SPDX-License-Identifier: Apache-2.0 */
#include "report/saved.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/jsonx.h"
#include "base/record.h"
#include "base/summary.h"
#include "base/text.h"

#include <string.h>

#define FILE_BYTES (256 * 1024 * 1024)

static int read_json(const char *path, json_t **ret, struct casb_error *err)
{
    _cleanup_(buf_free) struct buf text = BUF_INIT(FILE_BYTES);
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    int r = strcmp(path, "-") == 0 ? file_read_fd(STDIN_FILENO, name, &text, err)
                                   : file_read(path, &text, err);

    if (!r)
        r = jsonx_parse(buf_text(&text), text.len, name, ret, err);
    if (r)
        return r;
    if (!jsonx_array(*ret, "nodes") || !jsonx_object(*ret, "pass"))
        return err_set(err, CASB_EINVALID, "%s: it is not what `status -o json` prints", name);
    return 0;
}

/* A state leaves the status out where it is none. */
static int add_node(struct records *records, json_t *node, struct casb_error *err)
{
    const char *uid = jsonx_string(node, "uid");
    struct casb_record record;
    int r;

    if (!uid || !record_is_uid(uid))
        return err_set(err, CASB_EINVALID, "a node has no uid");
    if (text_equal(jsonx_string(node, "status"), "none"))
        json_object_del(node, "status");
    r = record_from_json(uid, node, &record, err);
    return r ? err_wrap(err, r, "node '%s'", uid) : records_add(records, &record, err);
}

static void take_pass(const json_t *json, struct casb_primary *ret_primary,
                      int64_t *ret_min_registered)
{
    struct casb_pass pass = {0};

    summary_from_json(jsonx_object(json, "pass"), &pass);
    *ret_primary = (struct casb_primary){.address = ""};
    *ret_min_registered = pass.min_registered;
    if (pass.primary)
        snprintf(ret_primary->id, sizeof ret_primary->id, "%s", pass.primary);
    if (pass.address)
        snprintf(ret_primary->address, sizeof ret_primary->address, "%s", pass.address);
}

int saved_load(const char *path, struct records **ret, struct casb_primary *ret_primary,
               int64_t *ret_min_registered, struct casb_error *err)
{
    _cleanup_(records_freep) struct records *records = NULL;
    json_auto_t *json = NULL;
    json_t *node;
    size_t i;
    int r = read_json(path, &json, err);

    if (!r)
        r = records_new(&records, err);
    if (!r)
        json_array_foreach (json_object_get(json, "nodes"), i, node) {
            r = add_node(records, node, err);
            if (r)
                break;
        }
    if (r)
        return err_wrap(err, r, "--records");
    take_pass(json, ret_primary, ret_min_registered);
    *ret = TAKE_PTR(records);
    return 0;
}
