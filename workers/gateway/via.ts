/** The gateway in `Via` (RFC 9110 section 7.6.3): how others know that a request came through it, and it that one goes in a circle. */

/**
 * Under a name that tells nothing of where it stands. The version is that in which Workers give requests, whatever the client
 * spoke to the platform.
 */
export const VIA = "1.1 skerry";

/** In any version, with or without a comment behind it. */
const OWN = /(?:^|,)[ \t]*[^ \t,]+[ \t]+skerry(?=[ \t,]|$)/gi;

/** How many gateways of this kind a request has come through by its `Via`. */
export const passesIn = (via: string): number => via.match(OWN)?.length ?? 0;
