/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to do with a node: DESIGN's table "decide" as a pure function. Thread-safe.
 */
#ifndef CAS_BACKUP_DECIDE_H
#define CAS_BACKUP_DECIDE_H

#include <cas-backup/discovery.h>
#include <cas-backup/state.h>

enum decide_action {
    DECIDE_SKIP,
    DECIDE_KEEP,
    DECIDE_REGISTER,
};

/* What the decision depends on besides the node and its record. */
struct decide_policy {
    const char *primary;        /* the primary's id */
    bool include_control_plane; /* control-plane nodes take part */
    bool forced;                /* this node was named by --force */
    int64_t max_age_s;          /* registrations older than that expire; 0: never */
    int64_t now_s;              /* seconds since 1970 */
};

struct decision {
    enum decide_action action;
    const char *reason; /* static, or borrowed from node->blocked; "" for keep */
    /*
     * The record holds a registration that, as far as is known, opens the primary's database on
     * this machine now: made with this primary, and the hardware has not been seen to change.
     */
    bool holds;
    bool changed; /* it is not the machine that was registered, as far as is known */
};

/*
 * Before a word of casb_node.las_source, in the node and in its record: there is no key where it
 * points, and there will be none, so that nobody needs to look.
 */
#define DECIDE_KEYLESS '!'

/* Does the word, which may be NULL, have that mark? */
bool decide_is_keyless(const char *las_source);

/*
 * Decides for one node. `record` is NULL where nothing is known. A LAS key or boot ID that is
 * NULL is unknown, and proves nothing.
 */
struct decision decide(const struct casb_node *node, const struct casb_record *record,
                       const struct decide_policy *policy);

/*
 * Brings the record of a node that is not registered now up to date; true where *record changed.
 * Of a kept node that is name, source, LAS key and boot ID as it shows them, borrowed from the
 * node and `source`. Of any node it is where it has no key, whether the machine changed, and that
 * it was seen, which is noted only once `seen` is a day old.
 */
bool decide_refresh(struct casb_record *record, const struct casb_node *node, const char *source,
                    const struct decision *decision, int64_t now_s);

/* Notes in the record, which may be empty, since when the machine is another; true where that is
 * new. */
bool decide_note_change(struct casb_record *record, const struct decision *decision, int64_t now_s);

/* "skip", "keep", "register". Static. */
const char *decide_action_name(enum decide_action action);

#endif
