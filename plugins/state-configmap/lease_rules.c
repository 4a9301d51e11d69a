/* SPDX-License-Identifier: Apache-2.0 */
#include "state-configmap/lease_rules.h"

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/text.h"

#include <string.h>

#define MICRO_TIME_BYTES 40

bool lease_is_held_by(const json_t *lease, const char *me)
{
    return text_equal(jsonx_string(lease, "spec.holderIdentity"), me);
}

enum lease_verdict lease_judge(const json_t *lease, struct lease_sight *sight, const char *me,
                               int64_t fallback_s, int64_t now_ns)
{
    const json_t *spec = jsonx_object(lease, "spec");
    int64_t duration_s = jsonx_int(lease, "spec.leaseDurationSeconds", fallback_s);

    if (duration_s < 1 || duration_s > INT32_MAX)
        duration_s = fallback_s;
    if (text_empty(jsonx_string(lease, "spec.holderIdentity")))
        return LEASE_FREE;
    if (lease_is_held_by(lease, me))
        return LEASE_MINE;
    if (sight->contested || (sight->spec && !json_equal(spec, sight->spec)))
        return LEASE_ALIVE;
    if (!sight->spec) {
        sight->spec = json_incref((json_t *)spec);
        sight->since_ns = now_ns;
        return LEASE_WATCH;
    }
    return now_ns - sight->since_ns >= duration_s * CLOCK_S ? LEASE_FREE : LEASE_WATCH;
}

char *lease_describe(const json_t *lease, char *out, size_t size)
{
    const char *holder = jsonx_string(lease, "spec.holderIdentity");
    const char *acquired = jsonx_string(lease, "spec.acquireTime");
    const char *renewed = jsonx_string(lease, "spec.renewTime");
    char text[512];

    snprintf(text, sizeof text, "'%s' since %s, renewed %s", holder ? holder : "",
             acquired ? acquired : "unknown", renewed ? renewed : "never");
    return text_clean(out, size, text);
}

/* metav1.MicroTime: exactly six digits of a second. */
static char *micro_time(char out[static MICRO_TIME_BYTES], int64_t wall_ms)
{
    char time[CLOCK_RFC3339_BYTES];

    clock_format(time, wall_ms, true);
    snprintf(out, MICRO_TIME_BYTES, "%.*s000Z", (int)strcspn(time, "Z"), time);
    return out;
}

int lease_stamp(json_t *lease, const char *me, int64_t duration_s, int64_t wall_ms,
                struct casb_error *err)
{
    bool renewal = lease_is_held_by(lease, me);
    int64_t transitions = jsonx_int(lease, "spec.leaseTransitions", -1);
    json_auto_t *patch = NULL;
    char now[MICRO_TIME_BYTES];
    int r;

    micro_time(now, wall_ms);
    r = jsonx_pack(&patch, err, "{s:{s:s, s:I, s:s, s:s*, s:I}}", "spec", "holderIdentity", me,
                   "leaseDurationSeconds", (json_int_t)duration_s, "renewTime", now, "acquireTime",
                   renewal ? NULL : now, "leaseTransitions",
                   (json_int_t)(renewal ? transitions : transitions + 1));
    if (r)
        return r;
    return json_object_update_recursive(lease, patch) ? err_nomem(err) : 0;
}
