/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks the text of a list before it is parsed, so that only what somebody reads costs a parse:
 * most of a Node is the names of its images and who set which field. Pure.
 */
#ifndef KUBE_SIEVE_H
#define KUBE_SIEVE_H

#include <stdbool.h>
#include <stddef.h>

/* A piece of JSON text. */
struct sieve_span {
    char *data;
    size_t len;
};

/* A walk through one object or array: {.text = its text}. */
struct sieve {
    struct sieve_span text;
    size_t pos;
    bool broken; /* the walk ended where the text is no JSON */
};

/*
 * The next member of an object; false at its end, or with sieve->broken set. A key is given
 * without its quotes, as it is written. Of a value only the brackets and quotes were looked at.
 */
bool sieve_member(struct sieve *sieve, struct sieve_span *ret_key, struct sieve_span *ret_value);

/* The same for the elements of an array. */
bool sieve_element(struct sieve *sieve, struct sieve_span *ret_value);

/* Is this the key? */
bool sieve_is(const struct sieve_span *key, const char *name);

/*
 * Removes from the text of an API object, in place, what is most of a Node or Pod and read by
 * nobody here. Of the spec only nodeName, taints, unschedulable and the containers' names stay, of
 * a condition type, status, reason and message; metadata.managedFields, status.images,
 * status.podIPs and the images of status.containerStatuses go, and all else stays. What is no JSON
 * object becomes the empty text, which no parser takes.
 */
void sieve_item(struct sieve_span *item);

#endif
