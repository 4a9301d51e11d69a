/* SPDX-License-Identifier: Apache-2.0 */
/* What must not be shown wherever text from outside is. Pure and thread-safe. */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

/*
 * Overwrites what looks like a credential with "***", in place: user and password of a URL, what
 * follows Bearer, Basic and such in a header that somebody echoed, a CAS's provisioning token, and
 * JSON web tokens. A URL that was cut before its '@' counts where the port would be none.
 */
void redact(char *line);

#endif
