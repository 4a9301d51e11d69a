/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `scone cas attest` and a CAS's first start leave with owner and primary: a folder with
 *   config.json    the owner's SCONE CLI configuration
 *   stranger.json  the same with an identity that owns nothing
 *   expired.json   the same with a pinned chain that has expired
 *   ending.json    the same with one that expires in ten days
 *   owner.crt      whom the primary knows as its owner
 *   good.key, good.crt, and so on: what a primary may show: "good", "wrong-name" (the pinned
 *   chain, another name), "wrong-chain" (another chain), "expired" and "ending" (those in
 * expired.json and ending.json)
 */
#ifndef SANDBOX_OWNER_H
#define SANDBOX_OWNER_H

#include "base/cleanup.h"

/* Writes a file below `folder`, or ends the process. */
void owner_write(const char *folder, const char *name, const char *text);

/* The path of a file below `folder`; the caller frees it. */
char *owner_path(const char *folder, const char *name, const char *suffix) _warn_unused_;

/* Reads such a file; the caller frees the text. Ends the process where there is none. */
char *owner_read(const char *folder, const char *name, const char *suffix) _warn_unused_;

/* Makes the folder and what is in it for a primary named `name`, unless config.json is there. */
void owner_make(const char *folder, const char *name);

/* Has the configurations say that the primary is at https://NAME:PORT/. */
void owner_set_port(const char *folder, unsigned port);

#endif
