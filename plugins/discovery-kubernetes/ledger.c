/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/ledger.h"

#include <jansson.h>
#include <pthread.h>

struct ledger {
    pthread_mutex_t lock; /* guards pods */
    json_t *pods;         /* name: uid, or null while unsettled */
};

int ledger_new(struct ledger **ret, struct casb_error *err)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);

    if (!ledger)
        return err_nomem(err);
    pthread_mutex_init(&ledger->lock, NULL);
    ledger->pods = json_object();
    if (!ledger->pods) {
        ledger_free(ledger);
        return err_nomem(err);
    }
    *ret = ledger;
    return 0;
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger)
        return;
    json_decref(ledger->pods);
    pthread_mutex_destroy(&ledger->lock);
    free(ledger);
}

int ledger_note(struct ledger *ledger, const char *pod, const char *uid, struct casb_error *err)
{
    int r;

    pthread_mutex_lock(&ledger->lock);
    r = json_object_set_new(ledger->pods, pod, uid ? json_string(uid) : json_null());
    pthread_mutex_unlock(&ledger->lock);
    return r < 0 ? err_nomem(err) : 0;
}

enum ledger_entry ledger_find(struct ledger *ledger, const char *pod,
                              char uid[static LEDGER_UID_BYTES])
{
    enum ledger_entry entry = LEDGER_NONE;
    const json_t *value;

    pthread_mutex_lock(&ledger->lock);
    value = json_object_get(ledger->pods, pod);
    if (value)
        entry = LEDGER_UNSETTLED;
    if (json_is_string(value)) {
        entry = LEDGER_CREATED;
        snprintf(uid, LEDGER_UID_BYTES, "%s", json_string_value(value));
    }
    pthread_mutex_unlock(&ledger->lock);
    return entry;
}

void ledger_forget(struct ledger *ledger, const char *pod)
{
    pthread_mutex_lock(&ledger->lock);
    json_object_del(ledger->pods, pod);
    pthread_mutex_unlock(&ledger->lock);
}
